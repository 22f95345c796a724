"""Whoever tells, reads or decides at the same moment waits for nobody in a circle."""

from collections.abc import Callable

import pytest
from django.db import transaction

from network import access
from network.actions.notifications import Told, mark_all_read, notify, resolve
from tests.messaging.test_parallel import together
from tests.network.test_people import row_of
from tests.personas import Cast

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgresql]  # SQLite has one writer

THREADS = [f"{number:064x}" for number in range(20)]


def often(act: Callable[[], object], times: int) -> Callable[[], None]:
    def run() -> None:
        for _ in range(times):
            with transaction.atomic():
                act()

    return run


def test_telling_reading_and_deciding_at_once_is_no_deadlock(cast: Cast) -> None:
    (member,) = access.members_in_force_by_id([row_of(cast.officer_a).id])
    tell = often(lambda: notify([Told("message", thread, member) for thread in THREADS]), 25)
    decide = often(lambda: resolve([f"thread:{thread}" for thread in THREADS]), 60)

    def read() -> None:
        for _ in range(60):
            mark_all_read(cast.officer_a.actor)

    together(tell, read, decide, tell)
