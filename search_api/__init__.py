"""HTTP endpoints and the search page over one home's index, library and ledger."""
