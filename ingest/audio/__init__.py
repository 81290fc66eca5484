"""Audio: downloaded whole or not at all, decoded in blocks."""
