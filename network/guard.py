"""The door of every route: names its right and its limit, and refuses before the view runs."""

import importlib
from collections.abc import Callable
from enum import StrEnum
from functools import cache, wraps
from typing import Any, Protocol, TypeVar, cast

from django.http import HttpRequest

from network.errors import Forbidden, SignedOut
from network.limits import spend
from network.policy import Actor

View = TypeVar("View", bound=Callable[..., Any])


class ActingRequest(HttpRequest):
    """An HTTP request after `network.middleware.actor_of_request`."""

    actor: Actor | None


class MemberRequest(HttpRequest):
    """An HTTP request behind a guard that only members pass."""

    actor: Actor


class Policy(Protocol):
    """The general question each app's `policy` module answers."""

    def __call__(self, actor: Actor | None, permission: Any) -> bool: ...


@cache
def policy_of(permission_type: type[StrEnum]) -> Policy:
    """Return `can` of the app whose `permissions` module defines this right."""
    app = permission_type.__module__.removesuffix(".permissions")
    return cast(Policy, importlib.import_module(f"{app}.policy").can)


def allows(actor: Actor | None, permission: StrEnum) -> bool:
    """Answer whether the actor has the right at all, by the policy of the app the right belongs to."""
    return policy_of(type(permission))(actor, permission)


def check(actor: Actor | None, permission: StrEnum) -> None:
    """Raise `SignedOut` or `Forbidden` unless the actor has the right at all."""
    if allows(actor, permission):
        return
    if actor is None:
        raise SignedOut
    raise Forbidden


def guarded(permission: StrEnum, *, limit: str = "api-read") -> Callable[[View], View]:
    """Let a view run only for an actor with the right, within the limit. Stands directly above the view."""

    def decorate(view: View) -> View:
        @wraps(view)
        def guard(http_request: ActingRequest, *args: Any, **kwargs: Any) -> Any:
            enter(http_request, permission, limit)
            return view(http_request, *args, **kwargs)

        functions: tuple[Any, Any] = (view, guard)
        for function in functions:
            function.permission = permission
            function.limit = limit
        return cast(View, guard)

    return decorate


def enter(http_request: ActingRequest, permission: StrEnum, limit: str) -> None:
    """Raise unless the actor has the right and its bucket is not empty."""
    check(http_request.actor, permission)
    actor = http_request.actor
    spend(limit, actor.sign_in_id.hex if actor else str(http_request.META.get("REMOTE_ADDR", "")))
