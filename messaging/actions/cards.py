"""Keeping cards: sealed hints that the devices of a principal share, each replaced only by who knows it."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction

from messaging import access
from messaging.card_protocol import CardForm, CardPlace
from messaging.models import Card, Principal
from messaging.permissions import Permission
from messaging.refusals import protocol_rules, refusal
from messaging.sealed.card import Card as SealedCard
from messaging.sealed.card import read_card
from messaging.sealed_states import keyring_state
from network.policy import Actor


@dataclass(frozen=True)
class _Wanted:
    """A card to keep, and the id of the one it takes the place of."""

    form: CardForm
    read: SealedCard

    def row(self, principal: Principal) -> Card:
        return Card(principal=principal, thread_id=self.form.thread, **self.columns)

    @property
    def columns(self) -> dict[str, object]:
        """Return what a row repeats of the card, and the card."""
        read = self.read
        return {"card": read.id.hex(), "m": read.m, "seq": read.seq, "sealed": self.form.card}


def keep_cards(actor: Actor, *, cards: Sequence[CardForm]) -> list[CardPlace]:
    """Keep cards of the own principal, each in the place of the one it names; returns one answer for each.

    A card that was replaced meanwhile stays: the answer has it. Repeated with the same bytes it is kept.
    Raises `NotFound` for a thread the own principal was never in; `Conflict("stale-keyring")` for a card
    below the floor of the keyring or above its end; whatever rule a card's form breaks.
    """
    access.require(actor, Permission.CARD_WRITE)
    with protocol_rules():
        wanted = [_Wanted(form, read_card(form.card)) for form in cards]
    return _keep(actor, sorted(wanted, key=lambda one: one.form.thread))


@transaction.atomic(durable=True)
def _keep(actor: Actor, wanted: Sequence[_Wanted]) -> list[CardPlace]:
    access.stand(actor, Permission.CARD_WRITE)
    principal = access.get_own_principal(actor, to=Permission.CARD_WRITE)
    places = access.get_own_places(actor, {one.form.thread for one in wanted}, to=Permission.CARD_WRITE)
    floor = keyring_state(principal).floor
    for one in wanted:
        place = places[one.form.thread]
        end = place.thread.seq if place.ended_seq is None else place.ended_seq
        if not floor <= one.read.m <= principal.n:
            raise refusal("stale-keyring")
        if not 0 < one.read.seq <= end:
            raise refusal("wrong-card")
        _write(principal, one)
    rows = Card.objects.filter(principal=principal, thread_id__in=places)
    stored = {row.thread_id: row for row in rows}
    return [_place(one, stored.get(one.form.thread)) for one in wanted]


def _write(principal: Principal, one: _Wanted) -> None:
    """Write a card where the named one stands, or where none does; else leave everything as it is."""
    if one.form.instead is None:
        Card.objects.bulk_create([one.row(principal)], ignore_conflicts=True)
        return
    here = Card.objects.filter(principal=principal, thread_id=one.form.thread, card=one.form.instead)
    here.update(**one.columns)


def _place(one: _Wanted, stored: Card | None) -> CardPlace:
    is_kept = stored is not None and bytes(stored.sealed) == one.form.card
    other = None if stored is None or is_kept else bytes(stored.sealed)
    return CardPlace(thread=one.form.thread, is_kept=is_kept, card=other)
