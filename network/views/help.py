"""Help: an index by role and by question, and one short page for each topic. Public, without a script."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from network.errors import NotFound
from network.guard import ActingRequest, guarded
from network.help.topics import BY_QUESTION, BY_ROLE, TOPICS
from network.permissions import Permission


@require_safe
@guarded(Permission.PUBLIC_READ)
def help_index(http_request: ActingRequest) -> HttpResponse:
    """List all topics, those of the actor's own roles first."""
    roles = http_request.actor.roles if http_request.actor else frozenset()
    context = {
        "own": [topic for topic in BY_ROLE if topic.roles & roles],
        "by_role": BY_ROLE,
        "by_question": BY_QUESTION,
    }
    return render(http_request, "network/help/index.html", context)


@require_safe
@guarded(Permission.PUBLIC_READ)
def help_topic(http_request: ActingRequest, slug: str) -> HttpResponse:
    """Show one topic."""
    topic = TOPICS.get(slug)
    if topic is None:
        raise NotFound
    template = "network/help/programs.html" if slug == "programs" else "network/help/topic.html"
    return render(http_request, template, {"topic": topic})
