"""The first persons of a network come in by a command of whoever runs the server."""

import re
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from network.models import AuditEntry, Authority, Invitation, Membership, OutgoingMail
from tests.network.invited import accept, browser
from tests.personas import Cast

TWO = ("--address", "one@un.example", "--address", "two@un.example")


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("invite_first_administrator", *arguments, stdout=out)
    return out.getvalue()


def said(*arguments: str) -> str:
    err = StringIO()
    call_command("invite_first_administrator", *arguments, stdout=StringIO(), stderr=err, no_color=True)
    return err.getvalue()


@pytest.mark.django_db
def test_two_officers_can_begin_a_network_that_has_nobody() -> None:
    lines = run(*TWO).splitlines()
    assert Authority.objects.get().kind == "secretariat"
    for line, address in zip(lines, ("one@un.example", "two@un.example"), strict=True):
        found = re.fullmatch(rf"{address} http://\S+/invitation/#(\S+)", line)
        assert found
        assert accept(browser(), found[1], address).status_code == 200
    roles = [member.roles for member in Membership.objects.all()]
    assert roles == [["directory-officer", "security-officer"]] * 2
    assert OutgoingMail.objects.filter(kind="invitation").count() == 2
    assert AuditEntry.objects.filter(act="secretariat:open").count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize(
    "arguments",
    [
        ("--address", "one@un.example"),
        ("--address", "one@un.example", "--address", "one@UN.example"),
        ("--address", "one@un.example", "--address", '"x@evil.test"@un.example'),
    ],
)
def test_fewer_than_two_plain_addresses_are_refused(arguments: tuple[str, ...]) -> None:
    with pytest.raises(CommandError):
        run(*arguments)
    assert not Authority.objects.exists()
    assert not Invitation.objects.exists()


def test_nobody_is_invited_past_the_officers_who_are_there(cast: Cast) -> None:
    with pytest.raises(CommandError, match="has officers already"):
        run(*TWO)
    assert not Invitation.objects.exists()
    run("--address", "one@un.example", "--again")
    assert Invitation.objects.get().authority == cast.directory_officer.membership.authority  # type: ignore[union-attr]


@pytest.mark.django_db
def test_before_anybody_has_accepted_the_command_sends_anew() -> None:
    assert said(*TWO) == ""
    again = said(*TWO)
    for address in ("one@un.example", "two@un.example"):
        assert f"An earlier invitation of {address} is withdrawn" in again
    assert Authority.objects.count() == 1
    assert Invitation.objects.filter(withdrawn_at=None).count() == 2
