"""A Python client for national systems: signs in, keeps one device, listens, sends. Begin at README.md."""
