"""How requests reach an authority: a closed list of channels."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

CHANNELS: dict[str, Promise] = {
    "network": _("This network"),
    "post": _("Post"),
    "courier": _("Courier"),
    "mail": _("E-mail"),
    "diplomatic": _("Diplomatic channel"),
    "interpol": _("INTERPOL"),
    "interpol-urgent": _("INTERPOL, in urgent cases only"),
}
