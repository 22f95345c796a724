"""E2 and E3: the one shape of a signed thing."""

import pytest

from messaging.sealed.encoding import sha256
from messaging.sealed.errors import Refused
from messaging.sealed.statement import parse, sign, verify
from tests.sealed.breaking import assert_refused, breaks
from tests.sealed.cases.base import Case
from tests.sealed.world import NET, world


@breaks("E2")
def test_e2_a_wrong_statement_is_refused(case: Case) -> None:
    assert_refused(case)


def test_e2_a_statement_holds_under_its_key_and_network_only() -> None:
    device = world().dara
    statement = parse(NET, device.statement, "device")
    verify(statement, device.signing_key.public, NET)
    for public, net in ((world().femi.signing_key.public, NET), (device.signing_key.public, "other")):
        with pytest.raises(Refused, match="E2 bad-signature"):
            verify(statement, public, net)


def test_e2_nothing_is_signed_with_other_fields() -> None:
    with pytest.raises(Refused, match="E2 bad-statement"):
        sign(NET, "receipt", {"thread": bytes(32)}, at=1, kid=b"", key=world().server_key)


def test_e3_the_hash_is_of_the_bytes_as_sent() -> None:
    raw = world().dara.statement
    assert parse(NET, raw, "device").hash == sha256(raw)
