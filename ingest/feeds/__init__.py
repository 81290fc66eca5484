"""Feeds: fetched, repaired, parsed, scheduled, followed when they move, read from and written to OPML."""
