"""How a page asks for its scripts: with the hash of each, and of each that it needs."""

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from network.scripts import needed_by, script_of

register = template.Library()


@register.simple_tag
def script(name: str) -> SafeString:
    """Return the tags of a module below /static/. What it needs is named too: an import has no hash."""
    found = script_of(name)
    needed = format_html_join(
        "\n",
        '<link rel="modulepreload" href="{}" integrity="{}">',
        ((one.address, one.integrity) for one in needed_by(name)),
    )
    own = format_html(
        '<script type="module" src="{}" integrity="{}"></script>', found.address, found.integrity
    )
    return format_html("{}{}{}", needed, "\n" if needed else "", own)
