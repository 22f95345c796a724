"""The level of one thing, for the form that changes it on the thing's own page."""

from typing import Any

from django import template

from network.models import Level
from network.queries.notifications import read_choices, read_level

register = template.Library()


@register.inclusion_tag("network/_level.html", takes_context=True)
def notification_level(context: dict[str, Any], thing: str, thing_id: str) -> dict[str, Any]:
    """Show how much about one thing tells the reader, and let it be changed: `{% notification_level … %}`."""
    actor, reference = context["actor"], f"{thing}:{thing_id}"
    usual = Level(read_choices(actor).level)
    return {
        "about": reference,
        "level": read_level(actor, reference),
        "usual": usual.label,
        "levels": Level.choices,
        "path": context["request"].path,
        "csrf_token": context.get("csrf_token"),
    }
