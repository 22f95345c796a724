"""Fifty who decide at the same moment: exactly one does, and what was agreed on happens once."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection

from network.actions import proposals
from network.errors import Refusal
from network.models import AuditEntry, Authority, Invitation, Proposal, Role
from network.permissions import Permission
from network.policy import Actor
from tests.network.test_proposals import OPENING
from tests.personas import make_cast, make_persona

MANY = 50


@pytest.mark.django_db(transaction=True)
def test_of_fifty_decisions_at_once_exactly_one_wins() -> None:
    cast = make_cast()
    secretariat = Authority.objects.get(kind="secretariat")
    deciders = [
        make_persona(f"directory_officer_{number}", secretariat, Role.DIRECTORY_OFFICER).actor
        for number in range(MANY)
    ]
    proposal = proposals.propose(cast.directory_officer.actor, act=Permission.AUTHORITY_OPEN, facts=OPENING)
    barrier = Barrier(MANY)

    def decide(number: int, actor: Actor) -> str:
        barrier.wait(timeout=30)
        try:
            # Every fifth declines instead: the two decisions exclude each other too.
            verb = proposals.decline if number % 5 == 0 else proposals.carry_out
            return str(verb(actor, proposal_id=proposal.id).status)
        except Refusal as refusal:
            return refusal.code
        finally:
            connection.close()

    with ThreadPoolExecutor(max_workers=MANY) as threads:
        results = list(threads.map(decide, range(MANY), deciders))
    won = [result for result in results if result != "already-decided"]
    assert won == [Proposal.objects.get().status]
    opened = 1 if won == ["carried-out"] else 0
    assert Authority.objects.filter(state_id="XDD").count() == opened
    assert Invitation.objects.count() == opened
    assert AuditEntry.objects.filter(act__in=["proposal:carry-out", "proposal:decline"]).count() == 1
