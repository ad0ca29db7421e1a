"""Tests of analysis/projection."""
