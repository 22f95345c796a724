"""Mail says that something is new: once, to who has not looked, when the person wants it; no more."""

from datetime import time, timedelta
from time import monotonic as time_of_machine
from typing import Any

import pytest
from django.core.management import call_command
from django.db import transaction
from django.utils import timezone

from network import access
from network.actions.mail import message_of
from network.actions.news_mail import write_news_mail
from network.actions.notifications import READ_KEPT, Told, mark_all_read, notify
from network.limits import LIMITS
from network.models import Membership, Notification, NotificationChoices, OutgoingMail, Person
from tests.messaging.test_parallel import together
from tests.network.test_people import row_of
from tests.personas import Cast, Persona, address_of

THREADS = [f"{number:02x}" * 32 for number in range(1, 9)]


def tell(persona: Persona, thread: str = THREADS[0], *, urgency: int = 0) -> None:
    (member,) = access.members_in_force_by_id([row_of(persona).id])
    with transaction.atomic():
        notify([Told("urgent-message" if urgency else "message", thread, member, urgency)])


def choose(persona: Persona, **chosen: Any) -> None:
    NotificationChoices.objects.update_or_create(person_id=persona.actor.person_id, defaults=chosen)


def make_due() -> None:
    Notification.objects.filter(mail_at__isnull=False).update(mail_at=timezone.now())


def recipients() -> list[str]:
    return sorted(message_of(mail).to[0] for mail in OutgoingMail.objects.all())


@pytest.mark.django_db
class TestWhatIsWritten:
    def test_one_mail_tells_of_everything_that_waits(self, cast: Cast) -> None:
        for thread in THREADS[:3]:
            tell(cast.officer_a, thread)
        assert write_news_mail() == 0  # whoever is at work has read it within two minutes
        make_due()
        assert write_news_mail() == 1
        assert recipients() == [address_of("officer_a")]
        make_due()
        assert write_news_mail() == 0

    def test_what_is_due_takes_along_what_would_be_due_a_little_later(self, cast: Cast) -> None:
        tell(cast.officer_a, THREADS[0])
        make_due()
        tell(cast.officer_a, THREADS[1])
        assert write_news_mail() == 1
        assert not Notification.objects.filter(mail_at__isnull=False).exists()

    def test_nothing_comes_for_what_was_read_meanwhile(self, cast: Cast) -> None:
        tell(cast.officer_a)
        make_due()
        mark_all_read(cast.officer_a.actor)
        assert write_news_mail() == 0

    def test_more_about_the_same_thread_writes_no_second_mail_until_it_was_read(self, cast: Cast) -> None:
        tell(cast.officer_a)
        make_due()
        assert write_news_mail() == 1
        tell(cast.officer_a)
        make_due()
        assert write_news_mail() == 0
        mark_all_read(cast.officer_a.actor)
        tell(cast.officer_a)
        make_due()
        assert write_news_mail() == 1

    def test_what_becomes_urgent_is_written_of_at_once(self, cast: Cast) -> None:
        choose(cast.officer_a, digest="daily", digest_at=time(8))
        tell(cast.officer_a)
        assert write_news_mail() == 0
        tell(cast.officer_a, urgency=1)
        assert write_news_mail() == 1

    def test_whatever_others_send_one_person_has_few_mails_and_no_other_fewer(
        self, cast: Cast, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        few = int(LIMITS["news-mail"].burst)
        now = [time_of_machine()]
        monkeypatch.setattr("network.limits.time.monotonic", lambda: now[0])
        for number in range(few + 20):
            tell(cast.officer_a, f"{number:064x}", urgency=2)
            write_news_mail()
        assert recipients() == [address_of("officer_a")] * few
        tell(cast.officer_b, urgency=1)
        assert write_news_mail() == 1
        now[0] += 1.01 / LIMITS["news-mail"].per_second
        assert write_news_mail() == 1  # of all that came meanwhile
        assert write_news_mail() == 0

    def test_nobody_is_written_to_who_wants_no_mail_or_does_not_stand(self, cast: Cast) -> None:
        choose(cast.officer_a, has_mail=False)
        choose(cast.supervisor_a, level="list")
        for persona in (cast.officer_a, cast.supervisor_a, cast.officer_b):
            tell(persona)
        Membership.objects.filter(id=row_of(cast.officer_b).id).update(suspended_at=timezone.now())
        make_due()
        assert write_news_mail() == 0

    def test_quiet_hours_and_digests_are_kept(self, cast: Cast) -> None:
        here = timezone.now()
        choose(
            cast.officer_a,
            quiet_from=(here - timedelta(hours=1)).time(),
            quiet_until=(here + timedelta(hours=2)).time().replace(second=0, microsecond=0),
        )
        choose(cast.officer_b, digest="hourly")
        for persona in (cast.officer_a, cast.officer_b):
            tell(persona)
        due = {row.membership_id: row.mail_at for row in Notification.objects.all()}
        late, hourly = due[row_of(cast.officer_a).id], due[row_of(cast.officer_b).id]
        assert late
        assert hourly
        assert late >= here + timedelta(hours=1, minutes=58)
        assert hourly.minute == 0

    def test_attestation_and_new_factors_have_mail_of_their_own(self, cast: Cast) -> None:
        (member,) = access.members_in_force_by_id([row_of(cast.administrator_a).id])
        notify([Told("attestation-due", "", member), Told("factor-added", "", member)])
        assert not Notification.objects.filter(mail_at__isnull=False).exists()

    def test_the_timers_command_writes_what_is_due_and_forgets_what_is_old(self, cast: Cast) -> None:
        tell(cast.officer_a)
        tell(cast.officer_b)
        make_due()
        long_ago = timezone.now() - READ_KEPT - timedelta(days=1)
        Notification.objects.filter(membership=row_of(cast.officer_b)).update(read_at=long_ago)
        call_command("run_due", verbosity=0)
        assert recipients() == [address_of("officer_a")]
        assert Notification.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_mail_is_written_once_however_many_processes_write(cast: Cast) -> None:
    for persona in (cast.officer_a, cast.officer_b, cast.supervisor_a):
        for thread in THREADS:
            tell(persona, thread)
    make_due()
    assert sum(together(*[write_news_mail] * 4)) == 3
    assert OutgoingMail.objects.filter(kind="something-new").count() == 3


@pytest.mark.django_db(transaction=True)
def test_a_mail_that_cannot_be_written_is_not_lost_and_keeps_no_other_back(cast: Cast) -> None:
    for persona in (cast.officer_a, cast.officer_b):
        tell(persona)
    make_due()
    person = row_of(cast.officer_a).person
    whole = bytes(person.address_sealed or b"")
    Person.objects.filter(id=person.id).update(address_sealed=whole[:-1] + bytes([whole[-1] ^ 1]))
    assert write_news_mail() == 1
    assert recipients() == [address_of("officer_b")]
    Person.objects.filter(id=person.id).update(address_sealed=whole)
    assert write_news_mail() == 1
    assert recipients() == [address_of("officer_a"), address_of("officer_b")]
    assert write_news_mail() == 0
