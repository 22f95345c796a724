"""The development sign-in: one browser acts for one person at a time, and nothing of the one before stays."""

from network.models import AuditEntry, SignIn
from tests.personas import Cast, Persona


def sign_in_as(cast: Cast, persona: Persona, by: Persona) -> None:
    assert persona.membership
    client = by.client()
    response = client.post("/sign-in/as/", {"membership": str(persona.membership.id), "next": "/devices/"})
    assert (response.status_code, response.headers["location"]) == (302, "/devices/")


def test_signing_in_as_somebody_else_ends_the_sign_in_before(cast: Cast) -> None:
    sign_in_as(cast, cast.officer_b, by=cast.officer_a)
    assert cast.officer_a.sign_in_id
    assert SignIn.objects.get(id=cast.officer_a.sign_in_id).ended_at is not None
    assert AuditEntry.objects.filter(act="sign-in:end").count() == 1


def test_nobody_can_sign_in_as_somebody_whose_standing_has_ended(cast: Cast) -> None:
    assert cast.former_officer_a.membership
    body = {"membership": str(cast.former_officer_a.membership.id)}
    assert cast.signed_out.client().post("/sign-in/as/", body).status_code == 404


def test_a_made_up_membership_is_refused_with_a_page(cast: Cast) -> None:
    for value in ("", "x", "0" * 32, "' OR 1=1"):
        response = cast.signed_out.client().post("/sign-in/as/", {"membership": value})
        assert response.status_code in {404, 422}


def test_the_way_on_never_leads_to_another_site(cast: Cast) -> None:
    assert cast.officer_a.membership
    for place in ("https://evil.test/", "//evil.test", "/\\evil.test", "javascript:alert(1)"):
        body = {"membership": str(cast.officer_a.membership.id), "next": place}
        response = cast.signed_out.client().post("/sign-in/as/", body)
        assert response.headers["location"] == "/"


def test_signing_out_ends_the_sign_in(cast: Cast) -> None:
    client = cast.officer_a.client()
    assert client.post("/sign-out/").headers["location"] == "/sign-in/"
    assert client.get("/threads/").status_code == 302
