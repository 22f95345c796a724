"""HTTP in, HTTP out for the base."""
