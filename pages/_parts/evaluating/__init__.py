"""The evaluate page: its form, its runs, its result and the closer looks at it. `common` is what they share."""
