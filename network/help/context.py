"""What every page knows about help."""

from django.http import HttpRequest

from network.help.topics import help_for
from network.policy import Actor


def help_context(http_request: HttpRequest) -> dict[str, object]:
    """Return `help_here`: where the help for this page is."""
    actor: Actor | None = getattr(http_request, "actor", None)
    topic = help_for(http_request.path_info, actor.roles if actor else ())
    return {"help_here": topic.path if topic else "/help/"}
