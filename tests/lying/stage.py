"""The honest world before the lies: State A and State B have written to each other, and sent files."""

import base64
from pathlib import Path

from messaging.sdk.client import Client
from network.demo import STATE_A
from tests.lying.file_lies import SIZE
from tests.lying.lies import LAST, Attempt, Conspiracy, Facts, Files
from tests.lying.server import LyingServer, given_as_it_is, told_as_it_is
from tests.sdk.conftest import HEAD_A, HEAD_B, HEAD_C, Desks, next_message, until
from tests.secretariat import confirm_everybody
from tests.server import Server

STEWARD = next(person for person in STATE_A.persons if "administrator" in person.roles)


async def found_house(server: Server, folder: Path) -> str:
    """Make State B's keyring with the device of its head; return the kit."""
    desks = Desks(server, folder)
    async with desks.stack:
        b = await desks.open(HEAD_B)
        kit = await b.create_keyring()
        b.kit_is_safe()
        return kit


async def list_reader(server: Server, folder: Path) -> None:
    """Let State B's head list the next device that asks for it."""
    desks = Desks(server, folder)
    async with desks.stack:
        b = await desks.open(HEAD_B)
        await b.approve_device(await anext(b.device_requests()))


async def correspond(server: Server, folder: Path, house_kit: str) -> Facts:
    """Let State A and State B write to each other in four threads, and State A remove a steward."""
    desks = Desks(server, folder)
    async with desks.stack:
        b, c, steward = await desks.open(HEAD_B), await desks.with_keyring(HEAD_C), await desks.open(STEWARD)
        kit = await steward.create_keyring()
        steward.kit_is_safe()
        a = await head_listed_by(desks, steward)
        await confirm_everybody(server)
        first = await a.open_thread(b.principal or "", "May we send you a request?", subject="A question")
        await b.acknowledge(await next_message(b))
        await a.send(first.thread, "It is about an account.")
        await next_message(b)
        await b.send(first.thread, "Please send it.")
        await a.send(first.thread, "It comes today.")
        await next_message(b)
        second = await a.open_thread(b.principal or "", "Another matter.")
        await next_message(b)
        other = (await a.http.get(f"/api/threads/{second.thread}/items"))["items"]
        files = await send_files(a, b, folder)
        await a.keys.remove_devices([steward.mailbox.device.id.hex()])
        await settled(a, b, c, first.thread)
        return Facts(
            net=a.session.net,
            thread=first.thread,
            other_thread=other,
            principal_a=a.principal or "",
            principal_b=b.principal or "",
            principal_c=c.principal or "",
            authority_a=a.session.authority.id,
            authority_c=c.session.authority.id,
            conspiracy=Conspiracy(
                head=a.mailbox,
                removed=steward.mailbox,
                house=b.mailbox,
                kit=kit,
                house_kit=house_kit,
                files=files,
            ),
        )


async def head_listed_by(desks: Desks, steward: Client) -> Client:
    """Return the client of State A's head, whom the one steward there is lists as a second one."""
    head = await desks.open(HEAD_A)
    roles = ("officer", "steward", "supervisor")
    await head.request_device(roles)
    await steward.approve_device(await anext(steward.device_requests()), roles)
    await head.wait_until_ready(seconds=20)
    return head


async def settled(a: Client, b: Client, c: Client, thread: str) -> None:
    """Wait until both have seen the removal, and the head the end of the thread and State C's keyring."""
    principal, key = a.mailbox.principal, bytes.fromhex(thread)
    await a.log.make_ready([c.mailbox.principal])

    def is_seen() -> bool:
        known = b.mailbox.newest(principal)
        end = a.mailbox.threads[key].state
        return known is not None and known.n == 2 and end is not None and end.seq == LAST

    await until(is_seen)
    await b.log.follow()


async def send_files(a: Client, b: Client, folder: Path) -> Files:
    """Send two files in a thread, and the first one again in another."""
    paths = [folder / name for name in ("evidence.bin", "other.bin")]
    for path in paths:
        path.write_bytes(path.name.encode() * (SIZE // len(path.name)))
    opened = await a.open_thread(b.principal or "", "Here are the files.", subject="Files")
    await next_message(b)
    await a.send(opened.thread, "Two files.", files=paths)
    sent = await next_message(b)
    again = await a.open_thread(b.principal or "", "Here is one of them.")
    await next_message(b)
    await a.send(again.thread, "The same file.", files=paths[:1])
    same = await next_message(b)
    return Files(
        opened.thread,
        chunks=await chunks_of(b, opened.thread, sent.files[0].id.hex()),
        other=await chunks_of(b, opened.thread, sent.files[1].id.hex()),
        elsewhere=await chunks_of(b, again.thread, same.files[0].id.hex()),
        file=sent.files[0].id.hex(),
    )


async def chunks_of(client: Client, thread: str, file: str) -> list[bytes]:
    """Return the sealed chunks of a file, as the operator has them."""
    path = f"/api/threads/{thread}/attachments/{file}"
    count = len(base64.b64decode((await client.http.get(path))["hashes"])) // 32
    return [await client.http.get_bytes(f"{path}/chunks/{index}") for index in range(count)]


def tell(liar: LyingServer, facts: Facts, attempt: Attempt) -> None:
    """Begin to lie so; nothing that is written in threads reaches the honest server meanwhile."""
    liar.lies = {facts.thread: attempt.items(facts)} if attempt.items else {}
    liar.alter = attempt.answers(facts) if attempt.answers else told_as_it_is
    liar.replace = attempt.given(facts) if attempt.given else given_as_it_is
    liar.invented = attempt.invents(facts) if attempt.invents else {}
    liar.log_lie, liar.clock = attempt.log(facts) if attempt.log else None, attempt.clock
    liar.swallows, liar.swallowed = True, set()  # also the ledger, which a client keeps by itself
