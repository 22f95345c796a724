"""Acts that two persons do together, and the forms of the secretariat that propose them."""

from django.urls import URLPattern, path

from network.views import proposals

urlpatterns: list[URLPattern] = [
    path("proposals/", proposals.list_proposals, name="proposals"),
    path("proposals/<uuid:proposal_uuid>/", proposals.show_proposal, name="proposal"),
    path("states/open/", proposals.open_authority, name="open-authority"),
    path(
        "authorities/<uuid:authority_uuid>/fingerprint/",
        proposals.confirm_fingerprint,
        name="confirm-fingerprint",
    ),
    path("secretariat/roles/", proposals.grant_role, name="grant-role"),
]
