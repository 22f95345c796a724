"""All cards of a principal, for search in the memory of its own devices: the newest change first."""

from messaging import access
from messaging.card_protocol import CARDS_MOST, CardPage, CardRow
from messaging.models import ThreadMember
from messaging.permissions import Permission
from messaging.queries import after_cursor, cards_of, cursor_of
from network.policy import Actor


def list_cards(actor: Actor, *, before: str = "", limit: int = CARDS_MOST) -> CardPage:
    """Return a page of the own principal's correspondence: each thread with its end, and its card if any.

    `before` is the `next` of the page before; raises `Invalid("invalid-cursor")` for anything else.
    """
    access.require(actor, Permission.CARD_READ)
    limit = max(1, min(limit, CARDS_MOST))
    principal = access.find_own_principal(actor)
    places = ThreadMember.ever.filter(principal=principal) if principal else ThreadMember.ever.none()
    places = after_cursor(places.filter(thread__owner__isnull=True), before)
    columns = ("thread_id", "changed_at", "ended_seq", "thread__seq")
    found = list(places.order_by("-changed_at", "-thread_id").values_list(*columns)[: limit + 1])
    cards = cards_of(principal, (row[0] for row in found[:limit]))
    return CardPage(
        cards=[
            CardRow(thread=thread, seq=seq if ended is None else ended, card=cards.get(thread))
            for thread, _, ended, seq in found[:limit]
        ],
        next=cursor_of(found[limit - 1][0], found[limit - 1][1]) if len(found) > limit else None,
    )
