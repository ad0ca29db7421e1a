"""Registered decoders: one file each."""
