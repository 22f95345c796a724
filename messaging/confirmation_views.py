"""The REST operation by which programs of the secretariat confirm keys; people do it on pages."""

from django.http import HttpResponse

from messaging.actions.confirmations import confirm_keys
from messaging.confirmation_protocol import ConfirmationForm, ConfirmationPlace
from network.guard import MemberRequest, guarded
from network.models import ProposalStatus
from network.permissions import Permission
from network.rest import GuardedRouter

router = GuardedRouter()


@router.post("/confirmations", response=ConfirmationPlace)
@guarded(Permission.FINGERPRINT_CONFIRM, limit="api-write", fresh=True)
def post_confirmation(request: MemberRequest, form: ConfirmationForm) -> HttpResponse:
    """Confirm the keys of an authority: as the first of two directory officers, or as the second."""
    proposal = confirm_keys(request.actor, facts=form.model_dump(mode="json"))
    place = ConfirmationPlace(
        proposal=proposal.id.hex, is_confirmed=proposal.status == ProposalStatus.CARRIED_OUT
    )
    return HttpResponse(place.model_dump_json(), content_type="application/json")
