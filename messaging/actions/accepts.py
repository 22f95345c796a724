"""A supervisor has compared a fingerprint: who and when is noted; of whom stays sealed in the ledger."""

from django.db import transaction

from messaging import access
from messaging.permissions import Permission
from network import audit
from network.policy import Actor


@transaction.atomic(durable=True)
def note_accept(actor: Actor, *, principal_id: str) -> None:
    """Note that a supervisor is about to accept a counterpart in the ledger of the own authority.

    Raises `NotFound` or `Forbidden`.
    """
    access.stand(actor, Permission.KEYRING_ACCEPT)
    principal = access.get_keyring_to_accept(actor, principal_id)
    audit.record(actor, "keyring:accept", principal.id)
