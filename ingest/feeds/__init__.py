"""Feeds: fetched, mended, parsed, polled when due, followed when they move."""
