"""From a feed's URL to a transcript on disk: nouns, errors, settings, fetching, transcription, the Markdown library."""
