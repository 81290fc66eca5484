"""`python -m flows` is the command `soundbite`."""

from flows.cli.main import main

main()
