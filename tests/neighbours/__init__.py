"""Tests of analysis/neighbours."""
