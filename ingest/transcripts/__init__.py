"""Transcripts: the library's document, publishers' and imported files, and the formats they are rendered in."""
