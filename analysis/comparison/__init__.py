"""Several encoders, measures and data in one table, with intervals, paired tests and controls."""
