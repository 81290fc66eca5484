"""The truths the project holds itself to."""
