"""A supervisor who accepts a counterpart proves to be present; that it was done is noted, of whom is not."""

import pytest

from network.models import AuditEntry
from tests.factories import Offices, call, code_of
from tests.personas import Cast

pytestmark = pytest.mark.django_db


def path_of(offices: Offices) -> str:
    return f"/keyrings/{offices.supervisor_a.principal}/accepts"


def test_an_accept_is_noted_without_saying_of_whom(offices: Offices) -> None:
    assert call(offices.supervisor_a.http, "POST", path_of(offices)).status_code == 200
    (entry,) = AuditEntry.objects.filter(act="keyring:accept")
    assert (entry.subject, entry.facts, entry.concerns) == (offices.supervisor_a.principal, {}, [])


def test_nobody_but_a_supervisor_of_the_authority_accepts_for_it(offices: Offices, cast: Cast) -> None:
    for desk in (offices.officer_a, offices.supervisor_b, offices.officer_b, offices.supervisor_c):
        assert call(desk.http, "POST", path_of(offices)).status_code == 403
    for name in ("administrator_a", "moderator", "directory_officer", "former_officer_a", "signed_out"):
        answer = call(cast.everybody()[name].client(), "POST", path_of(offices))
        assert answer.status_code in {401, 403}
    assert code_of(call(offices.supervisor_a.http, "POST", f"/keyrings/{'cd' * 32}/accepts"))[0] == 404
    assert not AuditEntry.objects.filter(act="keyring:accept").exists()


def test_the_page_of_a_counterpart_is_for_who_reads_correspondence(offices: Offices, cast: Cast) -> None:
    path = f"/counterparts/{cast.officer_b.actor.authority_id}/"
    for persona in (cast.officer_a, cast.supervisor_a, cast.officer_c):
        assert persona.client().get(path).status_code == 200
    for name in ("administrator_a", "moderator", "directory_officer", "former_officer_a", "signed_out"):
        assert cast.everybody()[name].client().get(path).status_code in {302, 403}
    secretariat = cast.directory_officer.actor.authority_id
    for unknown in (secretariat, "00000000-0000-0000-0000-000000000007"):
        assert cast.officer_a.client().get(f"/counterparts/{unknown}/").status_code == 404
