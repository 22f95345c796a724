"""Where the cases of threads stand, from the signed headers of their steps: read when a step is at hand."""

from collections.abc import Collection
from functools import partial

from django.conf import settings

from messaging.models import ItemType, ThreadItem
from messaging.sealed.message import read_message
from messaging.sealed.stage_rules import KIND, Case, repeat_step
from messaging.sealed.thread_entry import parties_among, read_entry


def read_cases(thread_ids: Collection[str]) -> dict[str, Case]:
    """Return the case of each of these threads: its steps, which were judged when they came, are repeated."""
    cases = {thread_id: Case() for thread_id in thread_ids}
    rows = ThreadItem.objects.filter(thread_id__in=cases, kind=KIND).order_by("thread_id", "seq")
    for row in rows.only("thread_id", "seq", "item", "received_at") if cases else ():
        message = read_message(settings.ORIGIN_NAME, bytes(row.item))
        if message.step is not None:
            cases[row.thread_id] = repeat_step(
                cases[row.thread_id],
                message.step,
                parties=partial(_parties_before, row),
                by=message.by.principal,
                seq=row.seq,
                due=message.due,
                now=int(row.received_at.timestamp()),
            )
    return cases


def _parties_before(item: ThreadItem) -> tuple[bytes, ...]:
    """Return the parties by the newest entry before an item."""
    entries = ThreadItem.objects.filter(thread_id=item.thread_id, type=ItemType.ENTRY, seq__lt=item.seq)
    entry = read_entry(settings.ORIGIN_NAME, bytes(entries.order_by("-seq")[0].item))
    return parties_among(entry.members)
