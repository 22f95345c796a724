"""Authorities with keyrings, ready to write."""

import pytest

from tests.factories import Offices, open_offices
from tests.personas import Cast


@pytest.fixture
def offices(cast: Cast) -> Offices:
    """Give authorities A, B and C with their keyrings and devices."""
    return open_offices(cast)
