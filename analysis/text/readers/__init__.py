"""Readers of the formats people have: one file each, found by its SPEC.

A reader gets sources and yields rows; a bad row is a problem with its line and the rest goes on.
"""
