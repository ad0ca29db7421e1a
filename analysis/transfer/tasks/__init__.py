"""Tasks: what is learned, how it is scored and which data bring it; one file each."""
