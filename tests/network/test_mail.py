"""Mail waits encrypted until a mail server took it, tells nothing, and is forgotten afterwards."""

import re
import stat
from collections.abc import Iterator
from datetime import timedelta
from email import message_from_bytes
from io import StringIO
from pathlib import Path

import pytest
from django.conf import LazySettings, settings
from django.core.management import CommandError, call_command
from django.db import transaction
from django.utils import timezone

from network.actions.mail import (
    REFUSED_LASTS,
    REFUSED_TRIES,
    message_of,
    send_due_mail,
    write_mail,
)
from network.models import AuditEntry, OutgoingMail, Person
from network.outbox import list_mails
from tests.network.mail_server import MailServer, mail_server
from tests.personas import Cast, address_of

TEMPLATES = Path(__file__).resolve().parents[2] / "network" / "templates" / "mail"
KINDS = sorted(path.stem for path in TEMPLATES.glob("[!_]*.txt"))
LANGUAGES = [code for code, _ in settings.LANGUAGES]
LINK = "https://network.example/invitation/#AAAA"


@pytest.fixture
def server(settings: LazySettings) -> Iterator[MailServer]:
    """Give a mail server that this process sends to."""
    with mail_server() as running:
        use(settings, running.port)
        yield running


def use(settings: LazySettings, port: int) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = "127.0.0.1", port, 5


def write(
    kind: str = "invitation", to: Person | str = "new@authority.example", link: str = LINK
) -> OutgoingMail:
    with transaction.atomic():
        write_mail(kind, to, language=None if isinstance(to, Person) else "en", link=link)
    return OutgoingMail.objects.latest("written_at")


def make_due() -> None:
    OutgoingMail.objects.update(next_try_at=timezone.now())


def person_of(cast: Cast) -> Person:
    assert cast.officer_a.membership
    return Person.objects.get(id=cast.officer_a.membership.person_id)


@pytest.mark.django_db
def test_a_mail_waits_encrypted_and_is_blank_once_it_is_sent(server: MailServer) -> None:
    mail = write()
    assert b"authority.example" not in bytes(mail.sealed)
    assert b"invitation" not in bytes(mail.sealed)
    assert send_due_mail() == 1
    [(recipient, text)] = server.mails
    assert recipient == "new@authority.example"
    assert LINK in text
    mail.refresh_from_db()
    assert mail.sent_at is not None
    assert bytes(mail.sealed) == b""
    assert send_due_mail() == 0


@pytest.mark.django_db
def test_mail_is_kept_while_the_mail_server_is_away_and_sent_when_it_is_back(settings: LazySettings) -> None:
    with mail_server() as gone:
        port = gone.port
    use(settings, port)
    mail = write()
    waits = []
    for _ in range(12):
        assert send_due_mail() == 0
        mail.refresh_from_db()
        waits.append(mail.next_try_at - timezone.now())
        make_due()
    assert mail.sent_at is None
    assert mail.tries == 12
    minutes = [round(wait / timedelta(minutes=1)) for wait in waits]
    assert minutes == [1, 2, 4, 8, 16, 32, 64, 128, 240, 240, 240, 240]
    with mail_server(port=port) as back:
        assert send_due_mail() == 1
        assert [recipient for recipient, _ in back.mails] == ["new@authority.example"]


@pytest.mark.django_db
def test_one_address_that_is_refused_keeps_no_other_mail_back(settings: LazySettings) -> None:
    with mail_server(refuses="nobody@authority.example") as server:
        use(settings, server.port)
        refused = write(to="nobody@authority.example")
        write(to="somebody@authority.example")
        assert send_due_mail() == 1
        assert [recipient for recipient, _ in server.mails] == ["somebody@authority.example"]
        refused.refresh_from_db()
        assert refused.sent_at is None
        assert refused.next_try_at > timezone.now()


@pytest.mark.django_db
def test_an_address_that_is_refused_for_good_is_given_up_and_the_administrator_sees_it(
    cast: Cast, settings: LazySettings
) -> None:
    with mail_server(refuses=address_of("officer_a")) as server:
        use(settings, server.port)
        write("account-changed", person_of(cast))
        for _ in range(REFUSED_TRIES):
            assert OutgoingMail.objects.count() == 1
            make_due()
            send_due_mail()
    assert not OutgoingMail.objects.exists()
    page = cast.administrator_a.client().get("/audit/").content.decode()
    assert "A mail could not be delivered and was given up" in page
    assert "Officer A" in page
    assert "No entries" in cast.administrator_b.client().get("/audit/").content.decode()


@pytest.mark.django_db
def test_mail_that_nobody_takes_or_can_read_is_given_up_after_three_days(
    cast: Cast, server: MailServer
) -> None:
    mail = write("account-changed", person_of(cast))
    OutgoingMail.objects.update(sealed=bytes(mail.sealed)[:-1] + b"\0")
    for _ in range(20):
        make_due()
        send_due_mail()
    assert OutgoingMail.objects.count() == 1
    OutgoingMail.objects.update(written_at=timezone.now() - REFUSED_LASTS)
    make_due()
    send_due_mail()
    assert not OutgoingMail.objects.exists()
    assert AuditEntry.objects.get(act="mail:give-up").facts == {"kind": "account-changed", "tries": 21}


@pytest.mark.django_db
def test_the_command_says_with_its_status_whether_all_mail_was_taken(settings: LazySettings) -> None:
    with mail_server(refuses="nobody@authority.example") as server:
        use(settings, server.port)
        write(to="somebody@authority.example")
        call_command("send_mail", stdout=StringIO())
        write(to="nobody@authority.example")
        write(to="somebody@authority.example")
        with pytest.raises(CommandError, match="1 refused by the mail server, 0 of them given up"):
            call_command("send_mail", stdout=(out := StringIO()))
        assert out.getvalue() == "1 sent\n"
    make_due()
    with pytest.raises(CommandError, match="cannot be reached"):
        call_command("send_mail", stdout=StringIO())


@pytest.mark.django_db
def test_mail_of_an_act_that_was_not_done_is_not_sent(server: MailServer) -> None:
    with transaction.atomic():
        write_mail("invitation", "new@authority.example", language="en", link=LINK)
        transaction.set_rollback(True)
    assert send_due_mail() == 0
    assert server.mails == []


@pytest.mark.django_db
def test_mail_under_another_key_waits_and_nothing_breaks(server: MailServer) -> None:
    mail = write()
    OutgoingMail.objects.filter(id=mail.id).update(sealed=bytes(mail.sealed)[:-1] + b"\0")
    other = write(to="somebody@authority.example")
    assert send_due_mail() == 1
    mail.refresh_from_db()
    other.refresh_from_db()
    assert (mail.sent_at is None, other.sent_at is None) == (True, False)


@pytest.mark.django_db
def test_a_mail_sent_again_carries_the_same_id() -> None:
    mail = write()
    ids = {message_of(mail).message()["Message-ID"] for _ in range(2)}
    assert ids == {f"<{mail.id.hex}@localhost>"}


def test_a_person_is_written_to_in_the_persons_language(cast: Cast) -> None:
    person = person_of(cast)
    person.language = "ar"
    mail = write("account-ended", person, link="")
    assert mail.language == "ar"
    assert message_of(mail).to == [address_of("officer_a")]


def test_a_person_without_an_address_gets_none(cast: Cast) -> None:
    person = person_of(cast)
    person.address_sealed = None
    with transaction.atomic():
        write_mail("account-ended", person)
    assert not OutgoingMail.objects.exists()


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", KINDS)
def test_mails_of_one_kind_are_the_same_but_for_date_id_recipient_and_link(
    cast: Cast, kind: str, language: str
) -> None:
    people = [
        persona.membership.person for persona in (cast.officer_a, cast.supervisor_b) if persona.membership
    ]
    shapes = set()
    for number, person in enumerate(people):
        person.language = language
        link = f"{LINK}{number}"
        parsed = message_from_bytes(message_of(write(kind, person, link=link)).message().as_bytes())
        del parsed["Date"], parsed["Message-ID"], parsed["To"]
        body = parsed.get_payload(decode=True).decode().replace(link, "LINK")  # type: ignore[union-attr]
        parsed.set_payload("")
        shapes.add(parsed.as_string() + body)
    assert len(shapes) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_no_mail_names_a_state_an_authority_or_a_person(cast: Cast, kind: str) -> None:
    membership = cast.officer_a.membership
    assert membership
    names = {membership.person.name, membership.office, membership.authority.name, "State A", "XAA"}
    message = message_of(write(kind, membership.person))
    shown = f"{message.subject}\n{message.body}"
    assert not {name for name in names if name in shown}
    assert message.subject == "Network of Central Authorities"
    assert "never asks for a code" in shown
    assert re.findall(r"https?://\S+", shown) in ([], [LINK])
    assert "<" not in shown.replace(LINK, "")
    assert "&#" not in shown


def test_without_a_mail_server_mail_is_a_file_only_its_owner_can_read(
    db: None, settings: LazySettings, tmp_path: Path
) -> None:
    settings.EMAIL_BACKEND, settings.STATE_DIR = "network.outbox.FileBackend", tmp_path
    write()
    assert list_mails() == []
    assert send_due_mail() == 1
    [file] = (tmp_path / "outbox").iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    [shown] = list_mails()
    assert shown.to == "new@authority.example"
    assert LINK in shown.lines
