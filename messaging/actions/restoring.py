"""A restore: the log first, then two persons who stand for it, then what devices hand back (L8)."""

import uuid
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from messaging import access
from messaging.actions.log import append_leaf, lock_log, newest_number, put_back_leaves
from messaging.log_reading import tree_of
from messaging.models import LogState, Principal, PrincipalKind, Restore, RestoreSignature
from messaging.permissions import Permission
from messaging.refusals import protocol_rules, refusal
from messaging.sealed.message import LogPlace
from messaging.sealed.restore import PERSONS, SUBJECT, check_person, check_restore, make_restore
from messaging.sealed_states import StoredKeyrings
from messaging.server_key import server_key
from network import audit
from network.policy import Actor

CLOCK = timedelta(seconds=300)


@transaction.atomic(durable=True)
def begin_restore(*, cause: str) -> Restore:
    """Put the lost lines of the log back, and open a restore that two officers can sign.

    Run by the operator, after the database was put back and before the server starts. Raises
    `restore-open`, `lines-differ`.
    """
    if Restore.objects.filter(finished_at=None).exists():
        raise refusal("restore-open")
    put_back_leaves()
    lock_log()
    tree = tree_of(LogState.objects.get(id=1))
    newest = Restore.objects.order_by("-serial").first()
    restore = Restore.objects.create(
        serial=_next_serial(newest),
        log_size=tree.size,
        log_root=tree.root.hex(),
        cause=cause,
        begun_at=timezone.now(),
    )
    audit.record(None, "restore:begin", str(restore.serial), lines=tree.size)
    return restore


def _next_serial(newest: Restore | None) -> int:
    """Return the next serial: also after one whose row was itself lost, and stands in the log."""
    logged = newest_number("restore", SUBJECT)
    return max(-1 if newest is None else newest.serial, -1 if logged is None else logged) + 1


@transaction.atomic(durable=True)
def sign_restore(actor: Actor, *, serial: int, statement: bytes) -> Restore:
    """Keep what an officer has signed; with that of a second person the restore is announced in the log.

    Repeated it answers as before. Raises `Forbidden`, `NotFound`, `restore-differs`, `clock-ahead`, and
    whatever rule is broken.
    """
    access.stand(actor, Permission.RESTORE_SIGN)
    restore = access.get_open_restore(actor, serial)
    lock_log()
    secretariat = Principal.objects.filter(kind=PrincipalKind.SECRETARIAT).first()
    if secretariat is None:
        raise refusal("no-keyring")
    net, principal = settings.ORIGIN_NAME, bytes.fromhex(secretariat.id)
    with protocol_rules():
        found, person = check_person(net, statement, StoredKeyrings({}), principal, reading=False)
    access.get_signing_device(actor, found.statement.kid.hex())
    if found.said != (restore.serial, _place(restore), restore.cause):
        raise refusal("restore-differs")
    if abs(found.statement.at - timezone.now().timestamp()) > CLOCK.total_seconds():
        raise refusal("clock-ahead")
    _, is_new = RestoreSignature.objects.get_or_create(
        restore=restore,
        person=uuid.UUID(person),
        defaults={"device_id": found.statement.kid.hex(), "statement": statement},
    )
    given = [bytes(row.statement) for row in restore.signatures.order_by("id")]
    if len(given) >= PERSONS and restore.statement is None:
        _announce(restore, given[:PERSONS], principal)
    if is_new:
        audit.record(actor, "restore:sign", str(serial), signatures=len(given))
    return restore


def _place(restore: Restore) -> LogPlace:
    return LogPlace(restore.log_size, bytes.fromhex(restore.log_root))


def _announce(restore: Restore, given: list[bytes], secretariat: bytes) -> None:
    """Sign for the server over what the persons have signed, and write it into the log."""
    net, key, now = settings.ORIGIN_NAME, server_key(), timezone.now()
    restore.statement = make_restore(
        net,
        by=None,
        kid=key.id,
        key=key.key,
        serial=restore.serial,
        log=_place(restore),
        cause=restore.cause,
        at=int(now.timestamp()),
        acts=given,
    )
    restore.announced_at = now
    with protocol_rules():
        found = check_restore(net, key.key.public, restore.statement, StoredKeyrings({}), secretariat)
    restore.save(update_fields=["statement", "announced_at"])
    append_leaf("restore", SUBJECT, restore.serial, found.statement.hash)


@transaction.atomic(durable=True)
def finish_restore() -> Restore:
    """Let everybody write again; what comes back later takes its place only where that is still free.

    Run by the operator. Raises `no-restore`, and `not-announced` while two officers have not signed.
    """
    restore = Restore.objects.select_for_update().filter(finished_at=None).first()
    if restore is None:
        raise refusal("no-restore")
    if restore.announced_at is None:
        raise refusal("not-announced")
    restore.finished_at = timezone.now()
    restore.save(update_fields=["finished_at"])
    audit.record(None, "restore:finish", str(restore.serial))
    return restore
