"""Published models, for speech and for embedding: what there is, where it lies on this machine, and how it is fetched."""
