"""Long work in processes of its own: each run is a folder that outlives page, server and terminal."""
