"""`python -m headcount`: the command line, wherever it is installed."""

from headcount.cli import main

main()
