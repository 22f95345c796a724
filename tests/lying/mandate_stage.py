"""Direct contact before the lies: State A and State B have admitted a prosecutor of State A."""

from messaging.sdk.client import Client
from messaging.sealed.plaintext import Enclosure
from messaging.sealed.statement import type_of
from tests.lying.mandate_lies import Contact
from tests.sdk.conftest import next_message
from tests.sdk.test_practitioners import begin


async def admit_twice(a: Client, b: Client, prosecutor: Client) -> Contact:
    """Admit A's prosecutor to two threads of both heads, and withdraw the first mandate."""
    principal = await begin(prosecutor, a)
    ended, mandate = await _admitted(a, b, principal)
    await prosecutor.send(ended, "Written directly.")
    await b.membership.withdraw_mandate(ended, mandate)
    withdrawn = b.mailbox.threads[bytes.fromhex(ended)].state
    assert withdrawn is not None
    await a.send(ended, "Without the prosecutor.")
    open_still, _ = await _admitted(a, b, principal)
    statements = _enclosed(a, ended)
    return Contact(
        head=a.mailbox,
        practitioner=bytes.fromhex(principal),
        ended=ended,
        open_still=open_still,
        withdrawn_seq=withdrawn.seq,
        mandate=next(raw for raw in statements if type_of(raw) == "mandate"),
        consents=tuple(raw for raw in statements if type_of(raw) == "consent"),
    )


async def _admitted(a: Client, b: Client, practitioner: str) -> tuple[str, str]:
    """Return a new thread into which both have let the practitioner, and the mandate."""
    opened = await a.open_thread(b.principal or "", "Let them talk.", kind="direct")
    await next_message(b)
    mandate = await a.membership.propose_mandate(opened.thread, [practitioner], "One account.")
    await next_message(b)
    await a.membership.consent_to_mandate(opened.thread, mandate)
    await b.membership.consent_to_mandate(opened.thread, mandate)
    await b.membership.admit(opened.thread, mandate)
    return opened.thread, mandate


def _enclosed(client: Client, thread: str) -> list[bytes]:
    """Return the statements that were sent in a thread."""
    bodies = [
        row.plaintext.body for row in client.mailbox.threads[bytes.fromhex(thread)].applied if row.plaintext
    ]
    return [body.statement for body in bodies if isinstance(body, Enclosure)]
