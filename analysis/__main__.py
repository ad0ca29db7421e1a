"""`python -m analysis ...`: everything the pages do, without a browser."""

from analysis.cli import main

if __name__ == "__main__":
    main()
