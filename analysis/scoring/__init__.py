"""What a measure is, what it looks at and how it is run: from an encoder and data to a `Result`."""
