"""Text for search: sentences, their times, adverts, terms."""
