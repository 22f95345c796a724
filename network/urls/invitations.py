"""Inviting, accepting, and the readable outbox of the development profile."""

from django.conf import settings
from django.urls import URLPattern, path

from network.views import acceptance, invitations

urlpatterns: list[URLPattern] = [
    path("invitation/", acceptance.invitation_page, name="invitation"),
    path("invitation/options/", acceptance.options, name="invitation-options"),
    path("invitation/accept/", acceptance.accept, name="invitation-accept"),
    path("invitation/join/", acceptance.join, name="invitation-join"),
    path("invitation/password/", acceptance.password, name="invitation-password"),
    path("invitation/picture.svg", acceptance.picture, name="invitation-picture"),
    path("invitation/codes/", acceptance.codes_page, name="invitation-codes"),
    path("people/invite/", invitations.invite_page, name="invite"),
    path(
        "people/invitations/<uuid:invitation_uuid>/withdraw/",
        invitations.withdraw,
        name="withdraw-invitation",
    ),
    path("people/invitations/<uuid:invitation_uuid>/resend/", invitations.resend, name="resend-invitation"),
    path("people/<uuid:membership_uuid>/readmit/", invitations.readmit_person, name="readmit"),
]

if settings.PROFILE in {"development", "test"}:
    urlpatterns.append(path("outbox/", invitations.outbox_page, name="outbox"))
