"""What ends or changes a sign-in reaches its open sockets: revoked passkeys, other browsers, acting for."""

from datetime import timedelta

from asgiref.sync import sync_to_async
from django.utils import timezone

from network.middleware import SIGN_IN_KEY
from network.models import AuditEntry, Delegation, SignIn
from tests.passkeys import enrol, sign_in
from tests.personas import Cast, Persona
from tests.realtime.conftest import Opener


def signed_in_with_passkey(persona: Persona) -> Persona:
    """Return the persona in another browser, signed in with a new passkey."""
    client, _ = sign_in(enrol(persona))
    return Persona(persona.name, persona.membership, SignIn.objects.get(id=client.session[SIGN_IN_KEY]).id)


async def test_removing_a_passkey_closes_the_sockets_opened_with_it(
    live_cast: Cast, open_socket: Opener
) -> None:
    officer = live_cast.officer_a
    elsewhere = await sync_to_async(signed_in_with_passkey)(officer)
    lost, own = await open_socket(elsewhere), await open_socket(officer)

    def remove() -> None:
        added = AuditEntry.objects.get(act="factor:add").subject
        enrol(officer)
        answer = officer.client().post("/account/passkeys/remove/", {"passkey": added})
        assert answer.status_code == 302

    await sync_to_async(remove)()
    assert await lost.close_code() == 4401
    assert (await own.ask("network.session.ping", {}))["result"] == {}


async def test_ending_all_others_closes_their_sockets(live_cast: Cast, open_socket: Opener) -> None:
    officer = live_cast.officer_a
    elsewhere = await sync_to_async(signed_in_with_passkey)(officer)
    other, own = await open_socket(elsewhere), await open_socket(officer)
    await sync_to_async(lambda: officer.client().post("/account/sign-ins/end/", {"sign-in": "others"}))()
    assert await other.close_code() == 4401
    assert (await own.ask("network.session.ping", {}))["result"] == {}


async def test_starting_to_act_for_a_colleague_closes_the_sockets_of_before(
    live_cast: Cast, open_socket: Opener
) -> None:
    officer = await sync_to_async(signed_in_with_passkey)(live_cast.officer_a)

    def act() -> None:
        assert live_cast.supervisor_a.membership
        assert officer.membership
        lent = Delegation.objects.create(
            grantor=live_cast.supervisor_a.membership,
            delegate=officer.membership,
            roles=["supervisor"],
            from_at=timezone.now() - timedelta(days=1),
            until_at=timezone.now() + timedelta(days=1),
        )
        assert officer.client().post("/account/act-for/", {"delegation": str(lent.id)}).status_code == 302

    socket = await open_socket(officer)
    await sync_to_async(act)()
    assert await socket.close_code() == 4401


async def test_a_sign_in_left_alone_closes_its_sockets_unless_somebody_is_there(
    live_cast: Cast, open_socket: Opener
) -> None:
    a, b = await open_socket(live_cast.officer_a), await open_socket(live_cast.officer_b)
    soon = timezone.now() + timedelta(seconds=2)
    await SignIn.objects.aupdate(quiet_until_at=soon)
    stayed = await a.ask("network.session.stay", {})
    assert 1790 <= stayed["result"]["quiet"] <= 1800
    await b.ask("network.session.ping", {})  # a program that asks is nobody who is there
    assert await b.close_code() == 4401
    assert (await a.ask("network.session.ping", {}))["result"] == {}
