"""`python -m anonrun` is the `anonrun` command."""

from anonrun.cli.main import main

main()
