"""Whether the server has everything it had: else it takes nothing, and says so (rule L8)."""

from messaging.log_key import read_mark
from messaging.models import LogState, Restore
from messaging.refusals import refusal


def require_whole(*, writing: bool) -> None:
    """Raise `log-rolled-back` while the log is shorter than it was, `being-restored` while items are missing.

    Once a restore is announced what is there can be read, and what was lost is handed back; nothing new is
    written before the operator ends it, or it would take the places of what was lost.
    """
    size = LogState.objects.filter(id=1).values_list("size", flat=True).first() or 0
    if size < read_mark()[0]:  # L8
        raise refusal("log-rolled-back")
    running = Restore.objects.filter(finished_at=None).values_list("announced_at", flat=True)[:1]
    if any(writing or announced_at is None for announced_at in running):  # L8
        raise refusal("being-restored")
