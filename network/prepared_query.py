"""Queries that every request asks: compiled once for each connection, which costs more than asking."""

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from weakref import WeakKeyDictionary

from django.db import connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import QuerySet
from django.db.models.sql.compiler import SQLCompiler

# Stand where a call's own values go; nothing in a condition is equal to them by chance.
_MOMENT = datetime(1815, 6, 9, 12, 34, 56, 789012, tzinfo=UTC)
_KEY = uuid.UUID("9e1c57a0-6f7e-4c3b-8d52-5f0a6be0c6d1")


@dataclass(frozen=True)
class _Compiled:
    compiler: SQLCompiler
    sql: str
    values: tuple[Any, ...]
    moment: object
    key: object


class PreparedQuery:
    """A query for rows of values at a moment and for an id; `build` makes it, once for each connection.

    What else `build` depends on is given as `variant`.
    """

    def __init__(self, build: Callable[[datetime, uuid.UUID], QuerySet[Any, tuple[Any, ...]]]) -> None:
        self._build = build
        self._known: WeakKeyDictionary[BaseDatabaseWrapper, dict[str, _Compiled]] = WeakKeyDictionary()

    def rows(self, moment: datetime, key: uuid.UUID, *, variant: str) -> Iterator[tuple[Any, ...]]:
        """Ask, and yield the rows with their values as the models' fields have them."""
        connection = connections["default"]
        known = self._known.setdefault(connection, {})
        compiled = known.get(variant)
        if compiled is None:
            compiled = known[variant] = self._compile(connection)
        if compiled.compiler.query.select_for_update and not connection.in_atomic_block:
            raise transaction.TransactionManagementError("rows are locked in a transaction only")
        own: dict[Any, Any] = {
            compiled.moment: connection.ops.adapt_datetimefield_value(moment),
            compiled.key: _key_value(connection, key),
        }
        values: list[Any] = [own.get(value, value) for value in compiled.values]
        with connection.cursor() as cursor:
            cursor.execute(compiled.sql, values)
            found = cursor.fetchall()
        for row in compiled.compiler.results_iter([found]):
            yield tuple(row)

    def _compile(self, connection: BaseDatabaseWrapper) -> _Compiled:
        compiler = self._build(_MOMENT, _KEY).query.get_compiler(connection=connection)
        sql, values = compiler.as_sql()
        moment, key = connection.ops.adapt_datetimefield_value(_MOMENT), _key_value(connection, _KEY)
        if not {moment, key} <= set(values):
            raise RuntimeError("a prepared query has no place for its moment or its id")
        return _Compiled(compiler, sql, tuple(values), moment, key)


def _key_value(connection: BaseDatabaseWrapper, key: uuid.UUID) -> object:
    return key if connection.features.has_native_uuid_field else key.hex
