"""What a program of the secretariat does: confirms the keys of authorities by the notes of their States."""

import re
from datetime import date

from messaging.sdk.core import Core
from messaging.sdk.device_file import from_base64, to_base64
from messaging.sdk.errors import Distrusted, NotReady, protocol_rules
from messaging.sdk.facts import Authority, OpenRestore
from messaging.sdk.outbox import now
from messaging.sealed.confirmation import named_head, sign_confirm
from messaging.sealed.errors import Refused
from messaging.sealed.keys import fingerprint_digits
from messaging.sealed.message import LogPlace
from messaging.sealed.restore import make_restore
from messaging.sealed.trust import check_confirms

LAST = 2**53 - 1  # beyond every entry: what is asked for is not the entries


def _principal_of(authority: Authority) -> bytes:
    """Whose fingerprint its State notifies: keys that wait to take a place, or those in force (K12)."""
    found = authority.waiting or authority.principal
    if found is None:
        raise NotReady("This authority has no keyring yet, so there is nothing to confirm.")
    return bytes.fromhex(found)


class Secretariat:
    """A device of the secretariat, which keeps its keys. It counts with one of another person."""

    def __init__(self, core: Core) -> None:
        self._core = core

    async def confirm(
        self, authority: Authority, fingerprint: str, *, reference: str, notified_on: date
    ) -> bool:
        """Sign that an authority's keys are those of its State's note, and hand it in.

        `fingerprint`: the 60 digits as they stand in the note, and from nowhere else. Returns whether this
        was the second of two persons, so that the keys are confirmed; the first may ask again without harm.
        Raises `Distrusted` when the verified keyring has other digits, or does not hold; `NotReady`;
        `ServerRefused`, with `other-notification` where a colleague has read another note.
        """
        principal = _principal_of(authority)
        await self._core.load_keyrings([self._core.mailbox.principal, principal])
        await self._core.log.make_ready([self._core.mailbox.principal, principal])
        digits = fingerprint_digits(principal)
        if re.sub(r"\s", "", digits) != re.sub(r"\s", "", fingerprint):
            raise Distrusted("The keyring this server gives for the authority is not that of the note.")
        return await self._hand_in(authority.id, principal, reference, notified_on.isoformat())

    async def is_confirmed(self, authority: Authority) -> bool:
        """Return whether two persons have confirmed the keyring as it stands, recoveries too (K8, K11).

        Raises `NotReady`, `Distrusted`.
        """
        principal = _principal_of(authority)
        box = self._core.mailbox
        await self._core.load_keyrings([box.principal, principal])
        found = await self._core.http.get(f"/api/keyrings/{principal.hex()}", **{"from": LAST})
        raws = [from_base64(raw) for raw in found["confirms"]]
        try:
            said = check_confirms(box.net, raws, box, principal=principal, reading=True)
        except Refused:
            return False
        return said[0].authority == authority.id and said[0].head == named_head(box.rings[principal])

    async def list_restores(self) -> list[OpenRestore]:
        """Return the restore that waits for two persons of the secretariat, if there is one."""
        found = await self._core.http.get("/api/restores")
        return [OpenRestore.from_json(row) for row in found["restores"]]

    async def sign_restore(self, restore: OpenRestore) -> bool:
        """Stand for a restore of the network: that its operator has told you of it, and why (L8).

        Returns whether this was the second of two persons, so that it is announced. Raises `Distrusted` when
        this device was shown another log before; `ServerRefused`.
        """
        await self._core.load_keyring(self._core.mailbox.principal)
        await self._core.log.follow()
        box, place = self._core.mailbox, LogPlace(restore.log_size, bytes.fromhex(restore.log_root))
        with protocol_rules():
            self._core.log.follower.check_message(place)
            raw = make_restore(
                box.net,
                by=box.by(),
                kid=box.device.id,
                key=box.device.signing_key,
                serial=restore.serial,
                log=place,
                cause=restore.cause,
                at=now(),
            )
        body = {"statement": to_base64(raw)}
        found = await self._core.http.post(f"/api/restores/{restore.serial}/signatures", body)
        return bool(found["is_announced"])

    async def _hand_in(self, authority: str, principal: bytes, reference: str, day: str) -> bool:
        with protocol_rules():
            signed = sign_confirm(
                self._core.mailbox,
                authority=authority,
                principal=principal,
                reference=reference,
                date=day,
                at=now(),
            )
        body = {
            "authority": authority,
            "fingerprint": fingerprint_digits(principal),
            "notification": reference,
            "notified_on": day,
            "statement": to_base64(signed.statement),
            "blind": to_base64(signed.blind),
        }
        found = await self._core.http.post("/api/confirmations", body)
        return bool(found["is_confirmed"])
