"""The router of the REST face: the guard of an operation stands before its body is read."""

from collections.abc import Callable
from typing import Any

from ninja import Router
from ninja.utils import check_csrf

from network.errors import ForeignForm
from network.guard import ActingRequest, enter
from network.policy import Actor


class GuardedRouter(Router):
    """A django-ninja router that takes guarded views only.

    The library parses a body before it calls the view; a stranger is refused before that, so the guard runs
    as the operation's authentication. It also takes the library's views out of Django's check against forged
    requests, so that check is made here.
    """

    def add_api_operation(
        self, path: str, methods: Any, view_func: Callable[..., Any], **options: Any
    ) -> Any:
        """Register a view that `guarded` decorates; raises AttributeError for any other."""
        guarded_view: Any = view_func

        def door(http_request: ActingRequest) -> Actor | None:
            if check_csrf(http_request, guarded_view.__wrapped__):
                raise ForeignForm
            enter(http_request, guarded_view.permission, guarded_view.limit, fresh=guarded_view.fresh)
            return http_request.actor

        return super().add_api_operation(
            path, methods, guarded_view.__wrapped__, **{**options, "auth": [door]}
        )
