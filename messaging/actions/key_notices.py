"""Who is told of what happens to the keys of an authority; inside the transaction of what it tells of.

What an attacker would do first is what the others hear of at once: a device that was let in or removed, a
role, a kit that was used or replaced.
"""

import uuid
from collections.abc import Collection, Iterable
from datetime import timedelta

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from messaging.models import Principal
from messaging.permissions import Permission
from messaging.policy import ROLES
from messaging.practitioner_queries import sponsors_of
from network.access import members_in_force
from network.actions.notifications import URGENT, Told, notify, resolve
from network.frames import Notice
from network.models import Membership, Notification
from network.notification_kinds import Kind, Thing, about
from network.policy import Actor

APPROVAL_WAITS = "approval-waits"
DEVICE_ADDED = "device-added"
KEYS_CHANGED = "keys-changed"
KEYS_DUE = "keys-due"
KEYS_BEGUN = "keys-begun-anew"
KEYS_RECOVERED = "keys-recovered"
KEYS_SUCCEEDED = "keys-succeeded"
KIT_DUE = "kit-due"
KIT_TRIED = "kit-tried"

THINGS = (
    Thing("approval", "/devices/", Permission.DEVICE_LIST, is_cleared_by_page=False),
    Thing("keyring", "/devices/", Permission.DEVICE_LIST),
    Thing("kit", "/devices/", Permission.DEVICE_LIST, is_cleared_by_page=False),
    Thing("renewal", "/devices/", Permission.DEVICE_LIST, is_cleared_by_page=False),
)
KINDS = (
    Kind(APPROVAL_WAITS, "approval", _("A change of keys waits for a second person of your authority")),
    Kind(DEVICE_ADDED, "keyring", _("A device was let in to the keys of your authority")),
    Kind(
        KEYS_BEGUN,
        "keyring",
        _("A colleague says that the keys of your authority are lost, and made new ones"),
    ),
    Kind(KEYS_CHANGED, "keyring", _("Devices or keys of your authority were changed")),
    Kind(KEYS_DUE, "renewal", _("The keys of your authority are to be renewed")),
    Kind(KEYS_RECOVERED, "keyring", _("The recovery kit of your authority was used")),
    Kind(KEYS_SUCCEEDED, "keyring", _("New keys of your authority have taken the place of the old ones")),
    Kind(KIT_DUE, "kit", _("The recovery kit of your authority is to be tried")),
    Kind(KIT_TRIED, "keyring", _("The recovery kit of your authority was tried, and opens its keys")),
)
_REMINDED_EVERY = timedelta(days=7)
# What each entry is news as; the first is made by the one person there is.
_NEWS = {
    "add": DEVICE_ADDED,
    "recover": KEYS_RECOVERED,
    "recovery-key": KEYS_CHANGED,
    "remove": KEYS_CHANGED,
    "repair": KEYS_CHANGED,
    "role": KEYS_CHANGED,
    "rotate": KEYS_CHANGED,
    "sponsor": KEYS_CHANGED,
}

# K4: whoever was listed before cannot read on.
_RENEWS = frozenset({"recover", "recovery-key", "remove", "repair", "rotate"})
# Another kit was printed.
NEW_KIT = frozenset({"genesis", "recover", "recovery-key"})


def tell_of_entry(
    actor: Actor, *, principal: Principal, reason: str, person_ids: Collection[uuid.UUID] = ()
) -> list[Notice]:
    """Tell who keeps the keys, and the persons whose devices it is about, what an entry has done.

    Of a recovery every member is told, as urgent. Whoever wrote the entry knows. A change that waited for a
    second person was made for the entry before, so it waits no more.
    """
    ended = [about(APPROVAL_WAITS, principal.id)]
    if reason in _RENEWS:
        ended.append(about(KEYS_DUE, principal.id))
    if reason in NEW_KIT:
        ended.append(about(KIT_DUE, principal.id))
    told = resolve(ended)
    kind = _NEWS.get(reason)
    if kind is None or principal.person_id is not None:  # a practitioner has changed his or her own
        return told
    is_alarm = kind == KEYS_RECOVERED
    people = members_in_force([actor.authority_id], ROLES[Permission.DEVICE_LIST])
    return told + notify(
        Told(kind, "", each, URGENT if is_alarm else 0)
        for each in _but(actor, people)
        if is_alarm or each.person_id in person_ids or _keeps_keys(each)
    )


def tell_of_new_start(actor: Actor) -> list[Notice]:
    """Tell every other member, as urgent, that keys were made to take the place of those in force (K12)."""
    people = members_in_force([actor.authority_id], ROLES[Permission.DEVICE_LIST])
    return notify(Told(KEYS_BEGUN, "", each, URGENT) for each in _but(actor, people))


def tell_of_succession(principal: Principal, before: Principal) -> list[Notice]:
    """Tell every member that the new keys are in force; what waited for the old ones waits no more (K12)."""
    told = resolve([about(kind, before.id) for kind in (APPROVAL_WAITS, KEYS_DUE, KIT_DUE)])
    people = members_in_force([principal.authority_id], ROLES[Permission.DEVICE_LIST])
    return told + notify(Told(KEYS_SUCCEEDED, "", each, URGENT) for each in people)


def tell_of_approval(actor: Actor, *, principal: Principal) -> list[Notice]:
    """Tell the others who keep the keys, or who answer for a practitioner, that a change waits for them."""
    if principal.person_id is None:
        people = members_in_force([actor.authority_id], ROLES[Permission.KEYRING_WRITE])
    else:
        people = members_in_force(sponsors_of(principal), ROLES[Permission.PRACTITIONER_SPONSOR])
    return notify(Told(APPROVAL_WAITS, principal.id, each) for each in _but(actor, people))


def resolve_approval(principal_id: str) -> list[Notice]:
    """Let nobody be told of a waiting change any more: it was taken back."""
    return resolve([about(APPROVAL_WAITS, principal_id)])


def tell_keys_are_due(authority_id: uuid.UUID, principal_id: str) -> list[Notice]:
    """Remind who keeps the keys, at most once a week, that they have been the same for a long time."""
    return _remind(KEYS_DUE, authority_id, principal_id)


def tell_kit_is_due(authority_id: uuid.UUID, principal_id: str) -> list[Notice]:
    """Remind who keeps the keys, at most once a week, that nobody has tried the recovery kit for a year."""
    return _remind(KIT_DUE, authority_id, principal_id)


def tell_of_tried_kit(actor: Actor, *, principal_id: str) -> list[Notice]:
    """Tell the others who keep the keys that the kit was tried; nobody needs to be reminded of it."""
    told = resolve([about(KIT_DUE, principal_id)])
    people = members_in_force([actor.authority_id], ROLES[Permission.KEYRING_WRITE])
    return told + notify(Told(KIT_TRIED, "", each) for each in _but(actor, people))


def _remind(kind: str, authority_id: uuid.UUID, principal_id: str) -> list[Notice]:
    people = members_in_force([authority_id], ROLES[Permission.KEYRING_WRITE])
    reminded = Notification.objects.filter(
        about=about(kind, principal_id), made_at__gt=timezone.now() - _REMINDED_EVERY
    )
    known = set(reminded.values_list("membership_id", flat=True))
    return notify(Told(kind, principal_id, each) for each in people if each.id not in known)


def _but(actor: Actor, people: Iterable[Membership]) -> Iterable[Membership]:
    return (each for each in people if each.person_id != actor.person_id)


def _keeps_keys(member: Membership) -> bool:
    return not ROLES[Permission.KEYRING_WRITE].isdisjoint(member.role_set)
