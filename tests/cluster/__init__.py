"""Several workers, a Prefect server on PostgreSQL and a search server on one machine, as they would be on many."""
