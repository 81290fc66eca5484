"""The command `soundbite`."""
