"""People of an authority: suspending, ending, handing over, attesting, delegating."""

from django.urls import URLPattern, path

from network.views import accounts

PERSON = "people/<uuid:membership_uuid>/"

urlpatterns: list[URLPattern] = [
    path("people/", accounts.people_page, name="people"),
    path("people/attest/", accounts.attest_page, name="attest"),
    path("people/attest/confirm/", accounts.attest, name="attest-confirm"),
    path("people/find/", accounts.find_person, name="find-person"),
    path(PERSON, accounts.person_page, name="person"),
    path(f"{PERSON}change/", accounts.change, name="change-membership"),
    path(f"{PERSON}delegate/", accounts.delegate, name="delegate"),
    path(f"{PERSON}end/", accounts.end, name="end-membership"),
    path(f"{PERSON}hand-over/", accounts.hand_over_page, name="hand-over"),
    path(f"{PERSON}hand-over/confirm/", accounts.confirm_hand_over, name="hand-over-confirm"),
    path(f"{PERSON}restore/", accounts.restore, name="restore-membership"),
    path(f"{PERSON}suspend/", accounts.suspend, name="suspend-membership"),
    path("delegations/<uuid:delegation_uuid>/end/", accounts.end_delegation, name="end-delegation"),
    path("authority/settings/", accounts.set_authority, name="authority-settings"),
]
