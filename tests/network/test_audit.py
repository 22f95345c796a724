"""The audit chain shows every change, removal, insertion and cut."""

import pytest
from django.db import transaction

from network import audit
from network.models import AuditEntry, AuditHead

pytestmark = pytest.mark.django_db


@pytest.fixture
def five_entries() -> None:
    for n in range(5):
        with transaction.atomic():
            audit.record(None, "thing:do", f"{n:032x}", count=n)


def test_an_untouched_chain_holds(five_entries: None) -> None:
    assert audit.verify_chain() is None


@pytest.mark.parametrize(
    "change",
    [{"act": "thing:undo"}, {"subject": "f" * 32}, {"facts": {"count": 9}}, {"hash": "0" * 64}],
)
@pytest.mark.parametrize("n", [1, 3, 5])
def test_a_changed_entry_is_found_where_it_is(five_entries: None, change: dict[str, object], n: int) -> None:
    AuditEntry.objects.filter(n=n).update(**change)
    fault = audit.verify_chain()
    assert fault is not None
    assert fault.n == n


def test_a_removed_entry_is_found(five_entries: None) -> None:
    AuditEntry.objects.filter(n=2).delete()
    fault = audit.verify_chain()
    assert fault is not None
    assert (fault.n, fault.reason) == (2, "missing")


def test_a_cut_end_is_found(five_entries: None) -> None:
    AuditEntry.objects.filter(n=5).delete()
    fault = audit.verify_chain()
    assert fault is not None
    assert fault.reason == "cut-off"


def test_a_head_set_back_with_the_end_cut_breaks_at_the_next_entry(five_entries: None) -> None:
    AuditEntry.objects.filter(n=4).update(hash="1" * 64)
    AuditHead.objects.update(hash="1" * 64)
    assert audit.verify_chain() is not None
