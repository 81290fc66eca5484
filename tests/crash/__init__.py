"""A real ingestion, killed at every operation of one feed's way, and what the next run makes of it."""
