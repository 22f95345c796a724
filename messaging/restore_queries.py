"""What officers of the secretariat see of a restore."""

from messaging import access
from messaging.models import Restore
from messaging.permissions import Permission
from messaging.queries import seconds
from messaging.restore_protocol import RestoreFacts, RestoreList
from network.policy import Actor


def list_restores(actor: Actor) -> RestoreList:
    """Return the restore that has begun and is not over, if there is one."""
    access.require(actor, Permission.RESTORE_LIST)
    rows = Restore.objects.filter(finished_at=None).order_by("serial")
    return RestoreList(restores=[restore_facts(row) for row in rows])


def restore_facts(row: Restore) -> RestoreFacts:
    """Return a restore as those see it who are to sign for it."""
    return RestoreFacts(
        serial=row.serial,
        log_size=row.log_size,
        log_root=row.log_root,
        cause=row.cause,
        begun_at=seconds(row.begun_at),
        signatures=row.signatures.count(),
        is_announced=row.announced_at is not None,
    )
