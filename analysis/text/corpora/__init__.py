"""Bundled corpora that need no network: one file each, found by its SPEC."""
