"""Help in the product: short topics in plain words, and which page each belongs to."""
