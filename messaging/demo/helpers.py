"""The key steward of State A and the answering counterpart of State B, as programs over the SDK."""

import asyncio
import os
import time
from pathlib import Path
from urllib.parse import urlsplit

from messaging.demo.replies import reply_to
from messaging.sdk.client import Client
from messaging.sdk.errors import ApprovalNeeded, NotCompared
from messaging.sdk.facts import Arrived, DeviceRequest
from messaging.sdk.invitation import accept_invitation
from messaging.sdk.passkey import SoftwarePasskey
from messaging.sdk.sign_in import DevelopmentSignIn, PasskeySignIn, SignIn
from messaging.sealed.passphrase import make_passphrase
from network.demo import COUNTERPART_B, HELPERS, STATE_A, STATE_B, STEWARD_A, DemoPerson

# A passphrase of 256 random bits needs no stretching; it lies beside the files: nobody is there to type it.
COST = 2**12
SUPERVISORS = {
    person.person_id.hex
    for authority in (STATE_A, STATE_B)
    for person in authority.persons
    if "supervisor" in person.roles
}


def passphrase_in(folder: Path) -> str:
    """Return the passphrase of the helpers' device files, made at the first call (mode 0600)."""
    file = folder / "passphrase"
    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        while not (text := file.read_text(encoding="ascii")):  # another helper is about to write it
            time.sleep(0.01)
        return text
    with os.fdopen(handle, "w", encoding="ascii") as opened:
        opened.write(make_passphrase())
    return file.read_text(encoding="ascii")


async def open_client(origin: str, folder: Path, person: DemoPerson) -> Client:
    """Return the connected client of a person of the demonstration; its files are in the folder.

    Helpers sign in with passkeys of their own; any other person is borrowed for a moment, without proof.
    """
    passphrase = passphrase_in(folder)
    sign_in: SignIn = DevelopmentSignIn(person.membership_id.hex)
    if person in HELPERS:
        sign_in = PasskeySignIn(await passkey_of(origin, folder, person, passphrase))
    return await Client.open(
        origin,
        sign_in=sign_in,
        file=folder / f"{person.file_stem}.device",
        passphrase=passphrase,
        cost=COST,
    )


async def passkey_of(origin: str, folder: Path, person: DemoPerson, passphrase: str) -> SoftwarePasskey:
    """Return the helper's passkey; at the first start it accepts its invitation with a new one."""
    file, invitation = folder / f"{person.file_stem}.passkey", folder / f"{person.file_stem}.invitation"
    if invitation.exists():
        passkey = await accept_invitation(
            f"{origin}/invitation/#{urlsplit(invitation.read_text(encoding='ascii')).fragment}",
            person.address,
            file=file,
            passphrase=passphrase,
            name="Program",
            cost=COST,
        )
        invitation.unlink()
        return passkey
    return await asyncio.to_thread(SoftwarePasskey.open, file, passphrase)


async def ensure_keyring(client: Client, kit_file: Path) -> None:
    """Create the keyring at the first run, and write the recovery kit into a file of mode 0600."""
    if client.is_ready and not client.holds_kit:
        return
    printed = await client.create_keyring()
    authority = client.session.authority
    handle = os.open(kit_file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as opened:
        opened.write(
            f"Recovery kit of {authority.name} ({authority.state_name}), demonstration\n\n{printed}\n\n"
            "In earnest this is printed, locked away, and kept nowhere else.\n"
        )
    client.kit_is_safe()


async def keep_approving(client: Client) -> None:
    """List every device that somebody of the own authority asks for, without comparing."""
    async for request in client.device_requests():
        await approve(client, request)
        say(f"approved a device of {request.name}")


async def approve(client: Client, request: DeviceRequest) -> None:
    """List a device; a supervisor's as one that answers for practitioners, unless others must agree."""
    if request.person in SUPERVISORS:
        try:
            await client.approve_device(request, ("officer", "supervisor", "steward"))
        except ApprovalNeeded:  # K6
            await client.approve_device(request)
    else:
        await client.approve_device(request)


async def keep_answering(client: Client) -> None:
    """Open, acknowledge and answer every note of another authority."""
    async for message in client.messages():
        if is_to_be_answered(message):
            await answer(client, message)


def is_to_be_answered(message: Arrived) -> bool:
    """Return whether this is a note of another authority that could be opened; nothing else is answered."""
    return message.kind == "note" and not message.is_own_authority and message.text is not None


async def answer(client: Client, message: Arrived) -> None:
    """Mark opened, acknowledge formally, then answer according to the decrypted text."""
    await client.mark_opened(message)
    try:
        await client.ledger.wait_until_compared(message.principal)
    except NotCompared:
        say(f"message {message.seq} of thread {message.thread[:8]}: nobody has compared its sender's keys")
        return
    await client.acknowledge(message)
    text, language = reply_to(message.text or "", message.language or "en")
    await client.send(
        message.thread,
        text,
        language=language,
        subject=message.subject,
        foreign_reference=message.own_reference,
        answers=message,
    )
    say(f"answered message {message.seq} of thread {message.thread[:8]}")


async def run_steward(origin: str, folder: Path) -> None:
    """Hold State A's keyring and list its devices, until cancelled."""
    async with await open_client(origin, folder, STEWARD_A) as client:
        await ensure_keyring(client, folder / "state-a-recovery-kit.txt")
        say("ready")
        await keep_approving(client)


async def run_counterpart(origin: str, folder: Path) -> None:
    """Hold State B's keyring, list its devices and answer its mail, until cancelled."""
    async with await open_client(origin, folder, COUNTERPART_B) as client:
        await ensure_keyring(client, folder / "state-b-recovery-kit.txt")
        say("ready")
        async with asyncio.TaskGroup() as group:
            group.create_task(keep_approving(client))
            group.create_task(keep_answering(client))


def say(text: str) -> None:
    """Print a line to the log of this helper. Never content of messages."""
    print(text, flush=True)  # noqa: T201 - this is a program of its own
