"""One cast for all tests of a module: making it costs more than most of what is asked of it."""

from collections.abc import Iterator

import pytest
from pytest_django import DjangoDbBlocker

from tests.permissions.walk import Stage, undone
from tests.personas import make_cast


@pytest.fixture(scope="module")
def stage(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Stage]:
    """Give everybody, signed in, for the whole module."""
    with django_db_blocker.unblock(), undone():
        yield Stage(make_cast())
