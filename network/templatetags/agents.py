"""What a browser calls itself, in the reader's language."""

from django import template
from django.utils.translation import gettext as _

register = template.Library()


@register.filter
def agent_in_words(agent: str) -> str:
    """Return "Firefox on Windows", as it was noted at the sign-in, with the words of the language between."""
    browser, between, system = agent.partition(" on ")
    return _("%(browser)s on %(system)s") % {"browser": browser, "system": system} if between else agent
