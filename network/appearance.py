"""How pages look to a person: light or dark, size of text, motion, single-key shortcuts.

One short text holds all of it, in the person's row and in a cookie of the browser, for when nobody is signed
in. Pages carry it as attributes of their root element, so that the first paint is right, without a script.
"""

from dataclasses import dataclass, fields
from typing import Self

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

# What may be chosen, the default first, with what it is called on the page.
CHOICES: dict[str, tuple[tuple[str, Promise], ...]] = {
    "scheme": (("system", _("As the device says")), ("light", _("Light")), ("dark", _("Dark"))),
    "text": (("usual", _("Usual")), ("large", _("Large")), ("larger", _("Larger"))),
    "motion": (("system", _("As the device says")), ("less", _("No movement"))),
    "shortcuts": (("on", _("On")), ("off", _("Off"))),
}


@dataclass(frozen=True, slots=True)
class Appearance:
    """One choice of each; every value is one of `CHOICES`."""

    scheme: str = "system"
    text: str = "usual"
    motion: str = "system"
    shortcuts: str = "on"

    @classmethod
    def read(cls, kept: str) -> Self:
        """Return what a row or a cookie holds; what is unknown there counts as not chosen."""
        names = [field.name for field in fields(cls)]
        given = dict(zip(names, kept.split("."), strict=False))
        return cls(**{name: value for name, value in given.items() if is_choice(name, value)})

    def written(self) -> str:
        """Return the text that `read` understands."""
        return ".".join(getattr(self, field.name) for field in fields(self))

    def attributes(self) -> list[tuple[str, str]]:
        """Return (name, value) of the attributes of a page's root element; a default has none."""
        values = ((name, getattr(self, name)) for name in CHOICES)
        return [(f"data-{name}", value) for name, value in values if value != CHOICES[name][0][0]]

    def schemes(self) -> str:
        """Return in which schemes a browser may paint before the first style sheet is there."""
        return "light dark" if self.scheme == "system" else self.scheme


def is_choice(name: str, value: str) -> bool:
    """Answer whether this may be chosen under this name."""
    return any(value == choice for choice, _title in CHOICES[name])
