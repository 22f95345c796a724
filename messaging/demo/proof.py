"""The proof at start: one sealed exchange through the running server, and what happens to altered ones.

Two authorities of their own (States Y and Z), so that nobody's correspondence is touched. With `--thorough`
also a device of State A is listed by its steward and a question answered by State B's counterpart.
"""

import asyncio
import sqlite3
import uuid
from dataclasses import dataclass, replace
from pathlib import Path

from messaging.demo.helpers import ensure_keyring, open_client, say
from messaging.demo.traces import files_under, find_in
from messaging.sdk.client import Client
from messaging.sdk.device_file import to_base64
from messaging.sdk.errors import ServerRefused
from messaging.sdk.facts import Arrived, Sent
from messaging.sdk.inbox import read_item
from messaging.sdk.outbox import now
from messaging.sealed.client import Mailbox
from messaging.sealed.correspondence import Item
from messaging.sealed.errors import Refused
from messaging.sealed.message import Note, Plaintext
from network.demo import COUNTERPART_B, PROVER_1, PROVER_2, STATE_A, STATE_B

PATIENCE_SECONDS = 20.0
WORDS = ("account", "amber", "bridge", "cedar", "delta", "ember", "falcon", "harbour", "lantern", "meridian")


class ProofFailed(Exception):
    """The product did not do what it promises."""


@dataclass(frozen=True)
class Surroundings:
    """Where the server is and where it keeps what it keeps."""

    origin: str
    state: Path

    @property
    def demo(self) -> Path:
        """Return the folder of the device files."""
        return self.state / "demo"


def make_text() -> str:
    """Return a text that has never been written before."""
    chance = uuid.uuid4()
    words = " ".join(WORDS[byte % len(WORDS)] for byte in chance.bytes[:6])
    return f"Proof {chance.hex}: please freeze {words} at once."


async def first_note(client: Client, text: str | None = None, author: str | None = None) -> Arrived:
    """Wait for a note (with this text, or of this principal) and mark what comes before as handled."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        async for message in client.messages():
            is_wanted = message.principal == author if text is None else message.text == text
            if message.kind == "note" and is_wanted:
                return message
    raise ProofFailed("the message did not arrive")


async def first_acknowledgement(client: Client, message_id: str) -> Arrived:
    """Wait for the acknowledgement of a message."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        async for message in client.messages():
            if message.acknowledges == message_id:
                return message
    raise ProofFailed("the acknowledgement did not arrive")


async def prove(around: Surroundings, *, is_thorough: bool) -> None:
    """Run the whole proof. Raises `ProofFailed`."""
    say("\nProof: one sealed exchange through this server")
    sender = await open_client(around.origin, around.demo, PROVER_1)
    receiver = await open_client(around.origin, around.demo, PROVER_2)
    async with sender, receiver:
        await ensure_keyring(sender, around.demo / "proof-1-recovery-kit.txt")
        await ensure_keyring(receiver, around.demo / "proof-2-recovery-kit.txt")
        await until_confirmed(sender, receiver)
        text = make_text()
        sent = await send_first_or_next(sender, receiver, text)
        say(f"  sent        “{text}”")
        received = await first_note(receiver, text)
        await prove_stored(around, sender, sent, text)
        say(f"  received    “{received.text}” (from {received.name})")
        await receiver.mark_opened(received)
        await receiver.acknowledge(received)
        await first_acknowledgement(sender, sent.id)
        say("  answered    opened and acknowledged, both signed by the receiver and verified by the sender")
        await prove_tampering(sender, receiver, sent)
    if is_thorough:
        await prove_helpers(around)
    say("  The proof holds.")


async def until_confirmed(one: Client, other: Client) -> None:
    """Wait until the secretariat has confirmed both keyrings: before that nothing is sealed to them."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        for client in (one, other):
            while True:
                found = await client.http.get(f"/api/keyrings/{client.principal}")
                if found["confirms"]:
                    break
                await asyncio.sleep(0.1)
    say("  confirmed   both keyrings, each by two officers of the secretariat")


async def send_first_or_next(sender: Client, receiver: Client, text: str) -> Sent:
    """Write in the one thread of the two provers, which the first proof opens."""
    threads = await sender.list_threads()
    if threads:
        return await sender.send(threads[0].thread, text, subject="Start-up proof")
    return await sender.open_thread(receiver.principal or "", text, subject="Start-up proof")


async def item_of(client: Client, sent: Sent) -> Item:
    """Return the stored item as the server gives it out."""
    found = await client.http.get(f"/api/threads/{sent.thread}/items", after=sent.seq - 1, limit=1)
    return read_item(found["items"][0])


async def prove_stored(around: Surroundings, client: Client, sent: Sent, text: str) -> None:
    """The ciphertext lies in the server's files; the text lies in none of them, in any form."""
    item = await item_of(client, sent)
    ciphertext = item.ciphertext or b""
    holders = []
    searched = 0
    for path in files_under(around.state):
        data = path.read_bytes()
        searched += len(data)
        if traces := find_in(data, [text, *text.split(": please ")]):
            raise ProofFailed(f"{path} holds the text as {traces[0][1]}")
        # SQLite splits long values over pages: the first bytes are enough to find it by.
        if ciphertext[:64] in data:
            holders.append(path.name)
    if is_sqlite(around.state) and not holders:
        raise ProofFailed("the ciphertext was not found either, so the search proves nothing")
    say(
        f"  stored      {len(ciphertext)} bytes of ciphertext for {len(text.encode())} bytes of text, "
        f"found in {', '.join(holders) or 'the database'}"
    )
    say(f"              the text itself: nowhere in {searched:,} bytes of database, WAL, logs and key files")


def is_sqlite(state: Path) -> bool:
    """Return whether the database is the embedded one."""
    file = state / "network.sqlite3"
    if not file.exists():
        return False
    with sqlite3.connect(f"file:{file}?mode=ro", uri=True) as database:
        return bool(database.execute("SELECT count(*) FROM sqlite_master").fetchone()[0])


def flipped(data: bytes, place: int) -> bytes:
    """Return the data with one bit changed."""
    return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]


async def prove_tampering(sender: Client, receiver: Client, sent: Sent) -> None:
    """One changed bit is refused by the server, and by the receiver even when a server passes it on."""
    stored = await item_of(sender, sent)
    thread = bytes.fromhex(sent.thread)
    fresh = sender.mailbox.seal(thread, Plaintext(Note("never delivered"), "en"), at=now())
    for name, (change, rule, code) in TAMPERING.items():
        by_server = await refused_by_server(sender, *change(fresh.item, fresh.ciphertext))
        header, text = change(stored.item, stored.ciphertext or b"")
        by_receiver = await refused_by_receiver(receiver, replace(stored, item=header, ciphertext=text))
        if (by_server, by_receiver) != (code, f"{rule} {code}"):
            raise ProofFailed(f"{name}: refused for another reason ({by_server}; {by_receiver})")
        say(f"  tampered    {name}: the server refused ({by_server}), the receiver refused ({by_receiver})")
    sender.mailbox.mark_refused(thread)  # M4: the next message says that this one was never delivered


def change_text(header: bytes, ciphertext: bytes) -> tuple[bytes, bytes]:
    """Change one bit of the ciphertext."""
    return header, flipped(ciphertext, len(ciphertext) // 2)


def change_header(header: bytes, ciphertext: bytes) -> tuple[bytes, bytes]:
    """Change one bit of the signature at the end of the header."""
    return flipped(header, len(header) - 8), ciphertext


# What is changed, how, and the rule and code that must catch it: any other refusal would prove nothing.
TAMPERING = {
    "ciphertext": (change_text, "M3", "wrong-cipher"),
    "signed header": (change_header, "E2", "bad-signature"),
}


async def refused_by_server(client: Client, header: bytes, ciphertext: bytes) -> str:
    """Return the code with which the server refuses the message."""
    message = {"item": to_base64(header), "ciphertext": to_base64(ciphertext)}
    try:
        found = await client.http.post("/api/messages", {"messages": [message]})
    except ServerRefused as refused:
        return refused.code
    result = found["results"][0]
    if "error" not in result:
        raise ProofFailed("the server took a changed message")
    return str(result["error"]["code"])


async def refused_by_receiver(client: Client, changed: Item) -> str:
    """Replay the thread into a fresh mailbox of the same device, with the changed item in its place."""
    known = client.mailbox
    mailbox = Mailbox(known.net, known.server_key, known.device, rings=known.rings)
    found = await client.http.get(f"/api/threads/{changed.thread.hex()}/items", after=0, limit=100)
    after = 0
    while True:
        for body in found["items"]:
            if body["seq"] < changed.seq:
                mailbox.apply_item(read_item(body))
        after = found["items"][-1]["seq"]
        if after >= changed.seq:
            break
        found = await client.http.get(f"/api/threads/{changed.thread.hex()}/items", after=after, limit=100)
    try:
        mailbox.apply_item(changed)
    except Refused as refused:
        return f"{refused.rule} {refused.code}"
    raise ProofFailed("the receiver took a changed message")


async def prove_helpers(around: Surroundings) -> None:
    """A new device of State A is listed by its steward; State B answers two questions differently."""
    officer = STATE_A.persons[0]
    async with await open_client(around.origin, around.demo, officer) as client:
        if not client.is_ready:
            await client.request_device()
        await client.wait_until_ready(seconds=PATIENCE_SECONDS)
        say(f"  listed      a device of “{officer.name}”, by State A's steward")
        authorities = await client.list_authorities()
        counterpart = next(row for row in authorities if row.id == STATE_B.authority_id.hex)
        first = await client.open_thread(counterpart, "Please freeze the account ending 0000 today.")
        one = await first_note(client, author=counterpart.principal)
        await client.send(first.thread, "Est-ce que votre bureau accepte une audition par visioconférence ?")
        two = await first_note(client, author=counterpart.principal)
        if one.text == two.text or "freeze the account" not in (one.text or "") or two.language != "fr":
            raise ProofFailed("the counterpart's answers do not follow what was asked")
        for answer in (one, two):
            say(f"  State B     {(answer.text or '').splitlines()[2]}")
        if one.person != COUNTERPART_B.person_id.hex:
            raise ProofFailed("somebody else answered for State B")
