"""What is acknowledged survives a power cut: the database syncs at every commit, and refuses nested ones."""

import uuid

import pytest
from django.db import connection, transaction

from network.actions.sign_ins import begin_sign_in


@pytest.mark.django_db
def test_every_commit_is_synced() -> None:
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA synchronous")
            assert cursor.fetchone() == (2,), "FULL: NORMAL acknowledges before the disk has it"
            cursor.execute("PRAGMA journal_mode")
            assert cursor.fetchone() == ("wal",)
            cursor.execute("PRAGMA secure_delete")
            assert cursor.fetchone() == (1,)
        else:
            cursor.execute("SHOW transaction_isolation")
            assert cursor.fetchone() == ("read committed",)


@pytest.mark.django_db(transaction=True)
def test_an_action_inside_somebody_elses_transaction_is_refused() -> None:
    # Its answer would come before the outer commit: a durable action must be the outermost.
    with pytest.raises(RuntimeError, match="durable"), transaction.atomic():
        begin_sign_in(membership_id=uuid.uuid4())
