"""When and in what order: the command line and the Prefect flows around plain functions."""
