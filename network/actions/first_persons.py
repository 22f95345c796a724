"""The first persons of a network: invited by whoever runs the server, because nobody else is there yet."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from network import access, audit
from network.actions.invitations import issue_invitation
from network.addresses import parse_address
from network.errors import Conflict, Invalid
from network.field_encryption import index_field
from network.invitation_tokens import make_link
from network.models import Authority, AuthorityKind, Invitation, Membership, Role

FIRST_ROLES = (Role.DIRECTORY_OFFICER, Role.SECURITY_OFFICER)


@dataclass(frozen=True)
class Invited:
    """One of them; `took_place` says that an earlier invitation is withdrawn by this one."""

    address: str
    link: str
    took_place: bool


@transaction.atomic(durable=True)
def invite_first_persons(
    *, addresses: Sequence[str], secretariat: str, language: str, again: bool = False
) -> list[Invited]:
    """Invite directory and security officers of the secretariat, which is made where it is missing.

    Returns what became of each. Raises `Invalid` for an address that is none and for fewer than two
    different persons, and `Conflict("has-officers")` when officers are there and `again` is not said.
    """
    wanted = list(dict.fromkeys(parse_address(address) for address in addresses))
    authority = Authority.objects.filter(kind=AuthorityKind.SECRETARIAT).order_by("id").first()
    officers = Membership.objects.filter(access.standing(timezone.now()), authority=authority)
    if authority and officers.exists():
        if not again:
            raise Conflict(
                "has-officers", _("The secretariat has officers already, who invite others by two persons.")
            )
    elif len(wanted) < 2:
        raise Invalid(
            "two-persons", _("Name two different persons at least: what is dangerous takes two of them.")
        )
    if authority is None:
        authority = Authority.objects.create(kind=AuthorityKind.SECRETARIAT, name=secretariat)
        audit.record(None, "secretariat:open", authority.id.hex, concerns=[authority.id])
    return [_invite(authority, address, language) for address in wanted]


def _invite(authority: Authority, address: str, language: str) -> Invited:
    earlier = Invitation.objects.filter(
        authority=authority, address_index=index_field("person.address", address)
    )
    took_place = earlier.filter(used_at=None, withdrawn_at=None, until_at__gt=timezone.now()).exists()
    invitation = issue_invitation(
        None,
        authority=authority,
        address=address,
        name=address.partition("@")[0],
        office=authority.name,
        roles=FIRST_ROLES,
        language=language,
    )
    return Invited(address, make_link(invitation), took_place)
