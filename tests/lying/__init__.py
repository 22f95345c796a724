"""A server that lies: it stands between real clients and a real one, and passes on all but its lies."""
