"""Text to vectors, and passages to a reranker's scores."""
