"""What any test may ask for: a database of its own, real services, a server in a process of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection
from pytest_django import DjangoDbBlocker

from deploy import services
from tests.personas import Cast, make_cast
from tests.server import PreparedState, Server, prepare_state


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out (not skip) what says something about PostgreSQL where the database is SQLite."""
    if connection.vendor == "postgresql":
        return
    left_out = [item for item in items if item.get_closest_marker("postgresql")]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


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
    return prepare_state(tmp_path_factory.mktemp("prepared"), cluster=cluster, redis_url=redis)


@pytest.fixture
def live_server_process(prepared_state: PreparedState, tmp_path: Path) -> Iterator[Server]:
    """Give a started server in a process of its own, with a copy of the demo database."""
    with Server.from_prepared(prepared_state, tmp_path / "server") as server:
        yield server


@pytest.fixture
def cast(db: None) -> Cast:
    """Give the personas, signed in, in a database of their own."""
    return make_cast()
