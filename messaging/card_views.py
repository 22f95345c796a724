"""HTTP in, HTTP out: cards, the sealed hints of lists."""

from typing import Annotated

from django.http import HttpResponse
from ninja import Query

from messaging.actions.cards import keep_cards
from messaging.card_protocol import CARDS_MOST, CardPage, CardPlaces, CardsForm
from messaging.card_queries import list_cards
from messaging.permissions import Permission
from network.guard import MemberRequest, guarded
from network.rest import GuardedRouter

router = GuardedRouter()


@router.get("/cards", response=CardPage)
@guarded(Permission.CARD_READ)
def cards(
    request: MemberRequest,
    before: Annotated[str, Query(max_length=100)] = "",
    limit: Annotated[int, Query(ge=1, le=CARDS_MOST)] = CARDS_MOST,
) -> HttpResponse:
    """List the cards of the own threads, a thousand at most, the newest change first."""
    page = list_cards(request.actor, before=before, limit=limit)
    return HttpResponse(page.model_dump_json(), content_type="application/json")


@router.post("/cards", response=CardPlaces)
@guarded(Permission.CARD_WRITE, limit="card-write")
def post_cards(request: MemberRequest, form: CardsForm) -> HttpResponse:
    """Keep cards of the own threads, each in the place of the one it names."""
    places = CardPlaces(cards=keep_cards(request.actor, cards=form.cards))
    return HttpResponse(places.model_dump_json(), content_type="application/json")
