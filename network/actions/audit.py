"""Giving the audit record out is an act of its own."""

from django.db import transaction

from network import audit
from network.policy import Actor


@transaction.atomic(durable=True)
def record_export(actor: Actor, *, form: str) -> None:
    """Record that the actor takes an export in this form; done before anything is given out."""
    audit.record(actor, "audit:export", actor.authority_id.hex, form=form)
