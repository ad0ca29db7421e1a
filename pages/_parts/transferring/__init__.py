"""The transfer page: its form, its runs, its result and the errors behind it. `common` is what they share."""
