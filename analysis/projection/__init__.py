"""Pictures of vectors in two dimensions, and numbers that say how far to trust them."""
