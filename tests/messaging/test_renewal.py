"""Keys that stay the same for long: who keeps them is reminded, once a week, until they are renewed."""

from datetime import timedelta

import pytest
from django.db.models import F

from messaging.actions.renewal import remind_of_renewal
from messaging.models import KeyringEntry
from network.models import Notification
from tests.factories import Offices
from tests.network.test_people import row_of
from tests.personas import Cast, Persona

pytestmark = pytest.mark.django_db


def reminded(persona: Persona) -> int:
    """Return how many unread reminders somebody has."""
    return Notification.objects.filter(
        membership=row_of(persona), kind="keys-due", read_at__isnull=True
    ).count()


def test_who_keeps_the_keys_is_reminded_after_ninety_days_and_not_before(
    cast: Cast, offices: Offices
) -> None:
    remind_of_renewal()
    assert reminded(cast.supervisor_a) == 0
    own = KeyringEntry.objects.filter(principal_id=offices.supervisor_a.mailbox.principal.hex())
    own.update(created_at=F("created_at") - timedelta(days=91))
    for _ in range(2):
        remind_of_renewal()
        assert reminded(cast.supervisor_a) == reminded(cast.administrator_a) == 1
    assert reminded(cast.officer_a) == reminded(cast.supervisor_b) == 0


def test_who_has_read_the_reminder_is_reminded_again_a_week_later(cast: Cast, offices: Offices) -> None:
    KeyringEntry.objects.update(created_at=F("created_at") - timedelta(days=91))
    remind_of_renewal()
    rows = Notification.objects.filter(kind="keys-due", membership=row_of(cast.supervisor_a))
    rows.update(read_at=F("made_at"))
    remind_of_renewal()
    assert reminded(cast.supervisor_a) == 0
    rows.update(made_at=F("made_at") - timedelta(days=8))
    remind_of_renewal()
    assert reminded(cast.supervisor_a) == 1
