"""The way from an invitation to the first sealed message: what comes next, ticked from facts."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from messaging.access import find_own_principal
from messaging.models import Device, DeviceStatus, KeyringEntry, Principal, ThreadMember
from messaging.permissions import Permission as Messaging
from network.access import standing
from network.factors import count_passkeys, count_recovery_codes
from network.guard import allows
from network.models import Authority, Factor, Invitation, Membership, Role
from network.permissions import Permission
from network.policy import Actor, is_practising, is_privileged


@dataclass(frozen=True)
class Place:
    """Where a step is done, and what the link there says."""

    path: str
    link: Promise


ACCOUNT = Place("/account/", _("Go to your account"))
DEVICES = Place("/devices/", _("Go to the devices"))
PEOPLE = Place("/people/", _("Go to the people"))
NOTE = Place("/welcome/note/", _("Show and print the digits"))
THREADS = Place("/threads/", _("Go to the correspondence"))
STATES = Place("/states/", _("Go to the States"))


@dataclass(frozen=True)
class Step:
    """One step. `is_needed` says whether the start page leads here until it is done."""

    title: Promise
    text: Promise
    is_done: bool
    place: Place | None = None
    is_needed: bool = True
    count: int = 0


class Facts:
    """What is known about a person and the authority acted for; each is asked for once, when needed."""

    def __init__(self, actor: Actor) -> None:
        self.actor = actor

    @cached_property
    def passkeys(self) -> int:
        """How many passkeys the person has."""
        return count_passkeys(self.actor.person_id)

    @cached_property
    def recovery_codes(self) -> int:
        """How many recovery codes are left."""
        return count_recovery_codes(self.actor.person_id)

    @cached_property
    def principal(self) -> Principal | None:
        """The keys of the authority, or a practitioner's own, or None while there are none."""
        return find_own_principal(self.actor)

    @cached_property
    def has_device(self) -> bool:
        """Whether a device of the person is in the keyring of the authority."""
        return self._devices(DeviceStatus.ENROLLED)

    @cached_property
    def has_asked(self) -> bool:
        """Whether a device of the person waits to be let in, or is in already."""
        return self.has_device or self._devices(DeviceStatus.REQUESTED)

    def _devices(self, status: DeviceStatus) -> bool:
        rows = Device.objects.filter(person_id=self.actor.person_id, authority_id=self.actor.authority_id)
        return rows.filter(status=status, ended_at__isnull=True).exists()

    @cached_property
    def has_two_stewards(self) -> bool:
        """Whether two persons approve devices of the authority."""
        if self.principal is None:
            return False
        newest = KeyringEntry.objects.filter(principal=self.principal, n=self.principal.n)
        return newest.filter(had_two_stewards=True).exists()

    @cached_property
    def colleagues(self) -> int:
        """How many others work for the authority or are invited to."""
        now = timezone.now()
        members = Membership.objects.filter(standing(now), authority_id=self.actor.authority_id)
        invited = Invitation.objects.filter(
            authority_id=self.actor.authority_id, used_at=None, withdrawn_at=None, until_at__gt=now
        )
        return members.exclude(id=self.actor.membership_id).count() + invited.filter(person=None).count()

    @cached_property
    def authority(self) -> Authority:
        """The authority acted for."""
        return Authority.objects.get(id=self.actor.authority_id)

    @cached_property
    def has_thread(self) -> bool:
        """Whether the authority has written or been written to."""
        return (
            self.principal is not None
            and ThreadMember.objects.filter(principal=self.principal, thread__owner__isnull=True).exists()
        )

    @cached_property
    def has_opened_an_authority(self) -> bool:
        """Whether there is any authority of a State."""
        return Authority.objects.filter(state__isnull=False).exists()


def steps_of(actor: Actor) -> list[Step]:
    """Return the steps of this person in this authority, in their order."""
    facts = Facts(actor)
    found = [] if actor.factor == Factor.DEVELOPMENT else _sign_in_steps(facts)
    if allows(actor, Permission.FINGERPRINT_CONFIRM):
        return [*found, *_confirming_steps(facts)]
    if is_practising(actor.roles):
        return [*found, _own_keys(facts)]
    if allows(actor, Messaging.KEYRING_WRITE):
        found += _key_steps(facts)
    if allows(actor, Messaging.DEVICE_REQUEST):
        found += _device_steps(facts)
    if Role.ADMINISTRATOR in actor.roles:
        found += _administrator_steps(facts)
    if allows(actor, Messaging.THREAD_OPEN):
        found.append(_first_message(facts))
    return found


def next_step(steps: Iterable[Step]) -> Step | None:
    """Return the first step to take: the necessary ones before those that are advised."""
    left = [step for step in steps if not step.is_done]
    return next((step for step in left if step.is_needed), left[0] if left else None)


def _sign_in_steps(facts: Facts) -> list[Step]:
    steps = [
        _way_in(facts),
        Step(
            _("Recovery codes"),
            _("Print them and lock them away. With one of them you come in again when the passkey is lost."),
            facts.recovery_codes > 0,
            ACCOUNT,
            is_needed=False,
        ),
    ]
    if is_privileged(facts.actor.roles):
        steps.append(
            Step(
                _("A second passkey"),
                _("Keep it in another place than the first, so that a lost device does not lock you out."),
                facts.passkeys > 1,
                ACCOUNT,
                is_needed=False,
            )
        )
    return steps


def _way_in(facts: Facts) -> Step:
    """Return what the person signs in with; codes take a passkey's place where the authority allows it."""
    if facts.passkeys == 0 and facts.actor.factor == Factor.CODE:
        return Step(
            _("Your password and one-time codes"),
            _(
                "You sign in with them. A passkey is safer, since nobody can talk you out of it: add one "
                "when you can."
            ),
            is_done=True,
            place=ACCOUNT,
        )
    return Step(
        _("Your passkey"),
        _("You sign in with it: nobody can guess it, and it works on this site only."),
        facts.passkeys > 0,
        ACCOUNT,
    )


def _own_keys(facts: Facts) -> Step:
    return Step(
        _("Your own keys"),
        _("Made in this browser, once the central authority of your State answers for you."),
        facts.principal is not None,
        DEVICES,
    )


def _key_steps(facts: Facts) -> list[Step]:
    return [
        Step(
            _("The keys of your authority"),
            _("Made once, in this browser, by a supervisor or administrator. They never leave your devices."),
            facts.principal is not None,
            DEVICES,
        ),
        Step(
            _("The recovery kit"),
            _("Printed and confirmed while the keys are made; before that they are not in force."),
            facts.principal is not None,
            DEVICES,
        ),
    ]


def _device_steps(facts: Facts) -> list[Step]:
    return [
        Step(
            _("Ask for this device"),
            _("This browser makes keys of its own and asks to be let in."),
            facts.has_asked,
            DEVICES,
        ),
        Step(
            _("A colleague approves the device"),
            _("Read the device’s code out, by telephone or in person; a colleague compares it."),
            facts.has_device,
            DEVICES,
        ),
    ]


def _administrator_steps(facts: Facts) -> list[Step]:
    return [
        Step(
            _("Invite your colleagues"),
            _("Officers and a supervisor. Each gets a mail with a link that works once, within 72 hours."),
            facts.colleagues > 0,
            PEOPLE,
            count=facts.colleagues,
        ),
        Step(
            _("A second person who approves devices"),
            _("Invite a supervisor and approve that device: no single person then holds the door alone."),
            facts.has_two_stewards,
            DEVICES,
            is_needed=False,
        ),
        Step(
            _("The fingerprint for your State’s note"),
            _("Your State sends these digits to the secretariat in a note. Two officers there confirm them."),
            facts.authority.root_confirmed_at is not None,
            NOTE if facts.principal else None,
            is_needed=False,
        ),
    ]


def _first_message(facts: Facts) -> Step:
    return Step(
        _("The first sealed message"),
        _("Write to another authority, or answer what it writes to you."),
        facts.has_thread,
        THREADS,
        is_needed=False,
    )


def _confirming_steps(facts: Facts) -> list[Step]:
    """Return the steps of a directory officer of the secretariat."""
    return [
        Step(
            _("Open the first State"),
            _("From its notification, together with another directory officer."),
            facts.has_opened_an_authority,
            STATES,
            is_needed=False,
        ),
        Step(
            _("The keys of the secretariat"),
            _(
                "With them two officers sign whose keys are whose. The first makes them, in this browser, "
                "and prints their recovery kit; each further officer asks for a device."
            ),
            facts.has_device,
            DEVICES,
            is_needed=False,
        ),
    ]
