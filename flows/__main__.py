"""`python -m flows` is the command `soundbite`."""

from flows.cli import main

main()
