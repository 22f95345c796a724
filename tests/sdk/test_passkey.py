"""A program's own passkey: its file, signing in with it, and a fresh proof where one is asked for."""

from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from django.utils import timezone

from messaging.sdk.client import Client
from messaging.sdk.errors import SignInFailed, WrongPassphrase
from messaging.sdk.passkey import SoftwarePasskey
from messaging.sdk.sign_in import DevelopmentSignIn, PasskeySignIn, forgery_token
from tests.sdk.conftest import COST, HEAD_A, PASSPHRASE
from tests.server import Server

# The client's own file, and a sign-in: the same on any database.
pytestmark = pytest.mark.any_database


async def enrolled(server: Server, file: Path) -> SoftwarePasskey:
    """Add a passkey to the head of State A's division, who signs in by the list of the demonstration."""
    async with httpx.AsyncClient(base_url=server.origin, headers={"Origin": server.origin}) as http:
        await DevelopmentSignIn(HEAD_A.membership_id.hex).sign_in(http)
        headers = {"Accept": "application/json", "X-CSRFToken": forgery_token(http) or ""}
        options = (await http.post("/account/passkeys/options/", json={}, headers=headers)).json()
        passkey = SoftwarePasskey.make(server.origin, options)
        passkey.keep(file, PASSPHRASE, cost=COST)
        body = {"credential": passkey.registration(options), "fields": {"name": "The program's"}}
        answer = await http.post("/account/passkeys/", json=body, headers=headers)
        assert answer.status_code == 200, answer.text
        await http.post("/sign-out/", headers=headers)
    return passkey


async def test_a_program_signs_in_with_its_passkey_and_proves_again_when_asked(
    server: Server, tmp_path: Path
) -> None:
    file = tmp_path / "passkey"
    await enrolled(server, file)
    sign_in = PasskeySignIn(SoftwarePasskey.open(file, PASSPHRASE))
    client = await Client.open(
        server.origin, sign_in=sign_in, file=tmp_path / "device", passphrase=PASSPHRASE, cost=COST
    )
    async with client:
        stale = timezone.now() - timedelta(minutes=6)
        server.sql("UPDATE network_signin SET proved_at = ? RETURNING id", str(stale)[:26])
        assert await client.create_keyring()
        assert client.http.generation == 2
    # The counter was stored with each answer, so the next process goes on where this one stopped.
    assert SoftwarePasskey.open(file, PASSPHRASE).counter == 2
    async with httpx.AsyncClient(base_url=server.origin, headers={"Origin": server.origin}) as http:
        await PasskeySignIn(SoftwarePasskey.open(file, PASSPHRASE)).sign_in(http)
        assert (await http.get("/api/session")).status_code == 200


async def test_a_copy_of_the_passkey_that_lags_behind_is_refused(server: Server, tmp_path: Path) -> None:
    passkey = await enrolled(server, tmp_path / "passkey")
    async with httpx.AsyncClient(base_url=server.origin, headers={"Origin": server.origin}) as http:
        await PasskeySignIn(passkey).sign_in(http)
        passkey.counter -= 1
        with pytest.raises(SignInFailed):
            await PasskeySignIn(passkey).sign_in(http)


def test_the_file_opens_with_its_passphrase_only(tmp_path: Path) -> None:
    options = {
        "publicKey": {"rp": {"id": "localhost"}, "user": {"id": "AA"}, "pubKeyCredParams": [{"alg": -7}]}
    }
    passkey = SoftwarePasskey.make("http://localhost", options)
    file = tmp_path / "passkey"
    passkey.keep(file, PASSPHRASE, cost=COST)
    assert file.stat().st_mode & 0o777 == 0o600
    assert SoftwarePasskey.open(file, PASSPHRASE).id == passkey.id
    assert passkey.id not in file.read_bytes()
    with pytest.raises(WrongPassphrase):
        SoftwarePasskey.open(file, "another")
    with pytest.raises(SignInFailed):
        SoftwarePasskey.make("http://localhost", {"publicKey": {"pubKeyCredParams": [{"alg": -257}]}})
