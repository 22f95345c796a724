"""A query compiled once asks, with each call, for what that call names."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.models import QuerySet
from django.test.utils import CaptureQueriesContext

from network.models import SignIn
from network.prepared_query import PreparedQuery
from tests.personas import Cast

NOW = datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC)


def sign_ins(moment: datetime, key: uuid.UUID) -> QuerySet[SignIn, tuple[Any, ...]]:
    return SignIn.objects.filter(id=key, until_at__gt=moment).values_list("id", "until_at")


def locked_sign_ins(moment: datetime, key: uuid.UUID) -> QuerySet[SignIn, tuple[Any, ...]]:
    return sign_ins(moment, key).select_for_update()


def test_each_call_asks_with_its_own_values(cast: Cast) -> None:
    prepared = PreparedQuery(sign_ins)
    personas = (cast.officer_a, cast.officer_b)
    people = [SignIn.objects.get(id=each.actor.sign_in_id) for each in personas]
    with CaptureQueriesContext(connection) as asked:
        for row in people:
            before = row.until_at - timedelta(seconds=1)
            assert list(prepared.rows(before, row.id, variant="")) == [(row.id, row.until_at)]
            assert list(prepared.rows(row.until_at, row.id, variant="")) == []
        assert list(prepared.rows(NOW, uuid.uuid4(), variant="")) == []
    assert len(asked) == 5


@pytest.mark.django_db
def test_a_query_without_a_place_for_its_values_is_refused() -> None:
    prepared = PreparedQuery(lambda moment, key: sign_ins(NOW, key))
    with pytest.raises(RuntimeError):
        list(prepared.rows(NOW, uuid.uuid4(), variant=""))


@pytest.mark.django_db(transaction=True)
def test_rows_are_locked_in_a_transaction_only() -> None:
    prepared = PreparedQuery(locked_sign_ins)
    with transaction.atomic():
        assert list(prepared.rows(NOW, uuid.uuid4(), variant="")) == []
    with pytest.raises(transaction.TransactionManagementError):
        list(prepared.rows(NOW, uuid.uuid4(), variant=""))
