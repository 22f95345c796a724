"""Servers and clients for tests of what must not happen; the same ones as the SDK's tests use."""

from tests.sdk.conftest import desks, pair, server

__all__ = ["desks", "pair", "server"]
