"""Measures of how well languages line up: one file each."""
