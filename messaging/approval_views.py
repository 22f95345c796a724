"""The REST operations of changes that wait for a second person."""

from typing import Annotated

from django.http import HttpResponse
from ninja import Path

from messaging.actions.approvals import propose_change, withdraw_change
from messaging.approval_queries import list_approvals
from messaging.permissions import Permission
from messaging.protocol import ApprovalForm, ApprovalList, ApprovalPlace
from network.frames import Body, Nothing
from network.guard import MemberRequest, guarded
from network.rest import GuardedRouter

router = GuardedRouter()

HexPath = Annotated[str, Path(pattern=r"^[0-9a-f]{64}$")]


def _json(body: Body) -> HttpResponse:
    return HttpResponse(body.model_dump_json(), content_type="application/json")


@router.get("/keyrings/{principal}/approvals", response=ApprovalList)
@guarded(Permission.KEYRING_WRITE)
def approvals(request: MemberRequest, principal: HexPath) -> HttpResponse:
    """List the changes of the own keyring that wait for a second person."""
    return _json(list_approvals(request.actor, principal))


@router.post("/keyrings/{principal}/approvals", response=ApprovalPlace)
@guarded(Permission.KEYRING_WRITE, limit="api-write", fresh=True)
def post_approval(request: MemberRequest, principal: HexPath, form: ApprovalForm) -> HttpResponse:
    """Put a change of the own keyring forward, or approve one that waits."""
    place = propose_change(request.actor, principal_id=principal, change=form.change, approval=form.approval)
    return _json(place)


@router.post("/keyrings/{principal}/approvals/{change}/withdraw", response=Nothing)
@guarded(Permission.KEYRING_WRITE, limit="api-write")
def post_withdrawal(request: MemberRequest, principal: HexPath, change: HexPath) -> HttpResponse:
    """Take a waiting change of the own keyring back."""
    withdraw_change(request.actor, principal_id=principal, change_id=change)
    return _json(Nothing())
