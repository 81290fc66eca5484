"""From transcripts to hits: chunk, embed, store, search."""
