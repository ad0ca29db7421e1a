"""Regimes: how a task is learned; one file each."""
