"""Reminding those who keep an authority's keys that these have been the same for a long time."""

from datetime import timedelta

from django.db import transaction
from django.db.models import OuterRef, Subquery
from django.utils import timezone

from messaging.actions.key_notices import tell_keys_are_due
from messaging.models import KeyringEntry, Principal, PrincipalStatus
from network.realtime import publish_on_commit

RENEW_AFTER = timedelta(days=90)


def remind_of_renewal() -> None:
    """Tell of every keyring that has had no new start for 90 days."""
    entries = KeyringEntry.objects.filter(principal=OuterRef("pk"))
    newest = Subquery(entries.filter(n=OuterRef("n")).values("floor"))
    # The floor is the entry since which whoever was listed before cannot read on.
    since = Subquery(entries.filter(n=OuterRef("floor")).values("created_at"))
    principals = Principal.objects.annotate(floor=newest).annotate(since=since)
    principals = principals.filter(person__isnull=True, status=PrincipalStatus.STANDING)
    due = principals.filter(since__lte=timezone.now() - RENEW_AFTER).order_by("id")
    for principal in due:
        with transaction.atomic(durable=True):
            publish_on_commit(*tell_keys_are_due(principal.authority_id, principal.id))
