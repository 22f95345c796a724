"""Who signed a statement that others rest on: a listed device with the role it takes (rules T3, T5, T10)."""

from collections.abc import Collection

from messaging.sealed.errors import Refused
from messaging.sealed.keyring_entry import Keyrings, ListedDevice
from messaging.sealed.places import By


def check_signer(
    rule: str, by: By, kid: bytes, keyrings: Keyrings, roles: Collection[str], *, reading: bool
) -> ListedDevice:
    """The device as ``by`` lists it, with one of these roles; unless ``reading`` also in the newest entry.

    Raises Refused with ``unlisted-device`` or ``not-a-supervisor``.
    """
    place = keyrings.at(by.principal, by.n)
    listed = None if place is None or place.head != by.head else place.device(kid)
    if not reading and listed is not None:
        newest = keyrings.newest(by.principal)
        listed = None if newest is None else newest.device(kid)
    if listed is None:  # T3 T5 T10
        raise Refused(rule, "unlisted-device", "its signer is not a listed device of its principal")
    if roles and not set(roles) & set(listed.roles):  # T3 T5 T10
        raise Refused(rule, "not-a-supervisor", "its signer is no supervisor")
    return listed
