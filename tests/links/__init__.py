"""Tests of analysis/links."""
