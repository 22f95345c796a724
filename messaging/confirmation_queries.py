"""What the secretariat has confirmed about keys, for whoever may read the keyring."""

from messaging.models import Confirmation, Principal, PrincipalKind, PrincipalStatus
from messaging.protocol import ConfirmedNote


def secretariat_principal() -> str | None:
    """Return the principal of the secretariat, or None while it has no keyring."""
    rows = Principal.objects.filter(kind=PrincipalKind.SECRETARIAT).values_list("id", flat=True)
    return rows.order_by("created_at", "id").first()


def confirms_of(principal: Principal) -> tuple[list[bytes], ConfirmedNote | None]:
    """Return the newest two statements about these keys with the note they name, or nothing."""
    row = Confirmation.objects.filter(principal=principal).order_by("-id").first()
    if row is None:
        return [], None
    blinds = [bytes(row.first_blind), bytes(row.second_blind)]
    note = ConfirmedNote(reference=row.reference, date=row.notified_on.isoformat(), blinds=blinds)
    return [bytes(row.first), bytes(row.second)], note


def successor_of(principal: Principal) -> Principal | None:
    """Return the confirmed keys of the same authority that have taken the place of these (K12)."""
    if principal.status != PrincipalStatus.ENDED:
        return None
    confirmed = Confirmation.objects.filter(principal__succeeds=principal).order_by("-id")
    row = confirmed.filter(principal__authority_id=principal.authority_id).select_related("principal").first()
    return row.principal if row else None
