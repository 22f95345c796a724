"""What any test may ask for: a database of its own, real services, a server in a process of its own."""

import gc
import os
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from django.db import connection
from django.utils import translation
from hypothesis import HealthCheck, settings
from pytest_django import DjangoDbBlocker

from deploy import services
from network import limits
from tests.personas import Cast, fill_buckets, make_cast
from tests.server import PreparedState, Server, prepare_state_once

# A busy machine draws slowly, which says nothing about the property.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out (not skip) what says nothing new about the database of this run."""
    elsewhere = "any_database" if connection.vendor == "postgresql" else "postgresql"
    left_out = [item for item in items if item.get_closest_marker(elsewhere)]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Collect no garbage while the traceback of a failure is put into words.

    pytest parses the source for that, and a collection in the middle of `ast.parse` makes CPython 3.11 raise
    `SystemError: AST constructor recursion depth mismatch`, which would end the whole run.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        return (yield)
    finally:
        if was_enabled:
            gc.enable()


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings_parallel_suffix: None, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Keep SQLite's test database in a file: a shared one in memory locks whole tables between threads."""
    if connection.vendor == "sqlite":
        file = str(tmp_path_factory.mktemp("database") / "test.sqlite3")
        connection.settings_dict["TEST"]["NAME"] = file


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """End what threads and the pool still hold open, or PostgreSQL does not let go of the test database."""
    yield
    if connection.vendor == "postgresql":
        with django_db_blocker.unblock(), connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )


@pytest.fixture(scope="session")
def postgresql_url() -> Iterator[str]:
    """Give a real PostgreSQL: the one this run is on, or one started now."""
    if given := services.environment_url("NETWORK_DATABASE_URL", "postgres"):
        yield given
        return
    with services.postgresql_server() as url:
        yield url


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """Give a real Redis: the one this run is on, or one started now."""
    if given := services.environment_url("NETWORK_REDIS_URL", "redis"):
        yield given
        return
    with services.redis_server() as url:
        yield url


@pytest.fixture(scope="session")
def prepared_state(tmp_path_factory: pytest.TempPathFactory) -> PreparedState:
    """Give a migrated demo database and static files, of the kind this run is on, to copy for each server."""
    cluster = services.environment_url("NETWORK_DATABASE_URL", "postgres") or ""
    redis = services.environment_url("NETWORK_REDIS_URL", "redis") or ""
    own = tmp_path_factory.getbasetemp()
    shared = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own  # by the workers of this run
    return prepare_state_once(shared / "prepared", cluster=cluster, redis_url=redis)


@pytest.fixture
def live_server_process(prepared_state: PreparedState, tmp_path: Path) -> Iterator[Server]:
    """Give a started server in a process of its own, with a copy of the demo database."""
    with Server.from_prepared(prepared_state, tmp_path / "server") as server:
        yield server


@pytest.fixture
def cast(db: None) -> Cast:
    """Give the personas, signed in, in a database of their own."""
    return make_cast()


@pytest.fixture(autouse=True)
def own_language() -> Iterator[None]:
    """Leave no language behind: the test client ends a request in the one of its reader."""
    yield
    translation.deactivate()


@pytest.fixture(autouse=True)
def full_buckets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Begin with nothing spent, here and in the Redis that tests share."""
    for name in ("buckets", "PLACE"):
        monkeypatch.setattr(limits, name, getattr(limits, name))  # as it was, after the test
    fill_buckets()
