"""Many accept the same invitation at the same moment: one wins, and nothing is half done."""

from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from messaging.demo.traces import find_in
from messaging.sdk.passkey import SoftwarePasskey
from network import access
from network.actions.acceptance import owner_of
from network.actions.mail import send_due_mail
from network.errors import Conflict
from network.field_encryption import index_field
from network.models import AuditEntry, Membership, OutgoingMail, Person, SignIn
from tests.messaging.test_parallel import together
from tests.network.invited import ADDRESS, accept, begin, browser, finish, invited
from tests.network.test_mail_at_once import everything_in_the_database
from tests.personas import make_cast

pytestmark = pytest.mark.django_db(transaction=True)

MANY = 50


def test_of_fifty_who_accept_at_once_exactly_one_wins(transactional_db: None) -> None:
    token = invited(make_cast().administrator_a)
    ready: list[tuple[Client, Any]] = []
    for number in range(MANY):
        client = browser(f"192.0.2.{number + 1}")
        options = begin(client, token).json()
        ready.append((client, SoftwarePasskey.make(settings.SITE_ORIGIN, options).registration(options)))
    answers = together(*[lambda one=one: finish(one[0], token, one[1]) for one in ready])
    outcomes = [answer.json().get("error", {}).get("code", "accepted") for answer in answers]
    assert sorted(set(outcomes)) == ["accepted", "invitation-used"]
    assert outcomes.count("accepted") == 1
    person = Person.objects.get(address_index=index_field("person.address", ADDRESS))
    member = Membership.objects.get(person=person)
    assert SignIn.objects.filter(membership=member).count() == 1
    assert AuditEntry.objects.filter(act="invitation:accept").count() == 1


def test_who_comes_a_moment_after_the_winner_hears_that_the_invitation_was_used(
    transactional_db: None,
) -> None:
    token = invited(make_cast().administrator_a)
    read_before = access.get_invitation(token, ADDRESS)
    assert accept(browser(), token).status_code == 200
    with pytest.raises(Conflict) as refused:
        owner_of(read_before)
    assert refused.value.code == "invitation-used"


def test_one_address_invited_by_two_authorities_becomes_one_person(transactional_db: None) -> None:
    cast = make_cast()
    ready: list[tuple[Client, str, Any]] = []
    for number, by in enumerate((cast.administrator_a, cast.administrator_b)):
        token, client = invited(by), browser(f"192.0.2.{number + 1}")
        options = begin(client, token).json()
        ready.append(
            (client, token, SoftwarePasskey.make(settings.SITE_ORIGIN, options).registration(options))
        )
    answers = together(*[lambda one=one: finish(*one) for one in ready])
    assert sorted(answer.status_code for answer in answers) in ([200, 403], [200, 409])
    assert Person.objects.filter(address_index=index_field("person.address", ADDRESS)).count() == 1
    assert Membership.objects.filter(person__name="New Officer").count() == 1


def test_nobody_finds_an_address_in_the_database(transactional_db: None) -> None:
    control = "A name that is kept in plain"
    token = invited(make_cast().administrator_a, name=control)
    OutgoingMail.objects.exclude(kind="invitation").delete()
    texts = [ADDRESS, token, control]
    assert {text for text, _ in find_in(everything_in_the_database(), texts)} == {control}
    client = browser()
    options = begin(client, token).json()
    passkey = SoftwarePasskey.make(settings.SITE_ORIGIN, options)
    assert finish(client, token, passkey.registration(options)).status_code == 200
    codes = client.get("/invitation/codes/").content.decode().split('<li class="code">')[1:]
    texts += [code.partition("<")[0] for code in codes]
    assert len(texts) == 13
    assert send_due_mail() == 1
    assert {text for text, _ in find_in(everything_in_the_database(), texts)} == {control}
