"""Nearest neighbours in the vectors' own space: exact, blocked, by cosine and by CSLS."""
