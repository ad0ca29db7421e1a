"""Readers of labelled text: tables, treebanks, tagged words, questions; one file a format."""
