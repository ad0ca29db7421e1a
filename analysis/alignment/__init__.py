"""Methods that make an aligned encoder from a base encoder: one file each."""
