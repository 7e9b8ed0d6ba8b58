"""``python -m checker`` is the command line."""

from checker.cli.app import main

main()
