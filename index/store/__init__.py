"""The index on disk: all that knows LanceDB and Arrow."""
