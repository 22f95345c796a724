"""Work of an authority on its own entry in the directory."""

from django.urls import URLPattern, path

from network.views import directory

OWN = "directory/own/"
OFFICE = f"{OWN}offices/<uuid:office_uuid>/"

urlpatterns: list[URLPattern] = [
    path(OWN, directory.own_page, name="directory-own"),
    path(f"{OWN}languages/", directory.languages_page, name="directory-languages"),
    path(f"{OWN}channels/", directory.channels_page, name="directory-channels"),
    path(f"{OWN}visibility/", directory.visibility_page, name="directory-visibility"),
    path(f"{OWN}offices/new/", directory.new_office_page, name="directory-new-office"),
    path(OFFICE, directory.office_page, name="directory-office"),
    path(f"{OFFICE}remove/", directory.remove_office, name="directory-remove-office"),
    path(f"{OWN}confirm/", directory.confirm, name="directory-confirm"),
]
