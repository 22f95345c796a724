"""Dates in the two languages whose customary forms would be read two ways, or have none for a time."""
