"""The window: HTTP endpoints and the search page over one index."""
