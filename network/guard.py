"""The door of every route: names its right and its limit, and refuses before the view runs."""

import importlib
from collections.abc import Callable
from enum import StrEnum
from functools import cache, wraps
from typing import Any, Protocol, TypeVar, cast

from django.http import HttpRequest
from django.utils import timezone

from network.connections import connection_network
from network.errors import Forbidden, ProofNeeded, SignedOut
from network.limits import spend
from network.permissions import Permission
from network.policy import OPEN_TO_ALL, OPEN_TO_LIMITED, Actor, is_fresh

# Doors where something could be guessed: counted for each network, whoever is signed in besides.
COUNTED_BY_NETWORK = frozenset({Permission.INVITATION_ACCEPT, Permission.SIGN_IN_BEGIN})

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
    if actor is not None and actor.is_limited and permission not in OPEN_TO_ALL | OPEN_TO_LIMITED:
        return False
    return policy_of(type(permission))(actor, permission)


def check(actor: Actor | None, permission: StrEnum) -> None:
    """Raise `SignedOut` or `Forbidden` unless the actor has the right at all."""
    if allows(actor, permission):
        return
    if actor is None:
        raise SignedOut
    raise Forbidden


def check_fresh(actor: Actor | None) -> None:
    """Raise `ProofNeeded` unless the actor has proven who it is within the last minutes."""
    if actor is None or not is_fresh(actor, timezone.now()):
        raise ProofNeeded


def guarded(permission: StrEnum, *, limit: str = "api-read", fresh: bool = False) -> Callable[[View], View]:
    """Let a view run only for an actor with the right, within the limit. Stands directly above the view.

    `fresh` marks a dangerous act: it also asks for a recent proof (passkey or code).
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def guard(http_request: ActingRequest, *args: Any, **kwargs: Any) -> Any:
            enter(http_request, permission, limit, fresh=fresh)
            return view(http_request, *args, **kwargs)

        functions: tuple[Any, Any] = (view, guard)
        for function in functions:
            function.permission = permission
            function.limit = limit
            function.fresh = fresh
        return cast(View, guard)

    return decorate


def enter(http_request: ActingRequest, permission: StrEnum, limit: str, *, fresh: bool) -> None:
    """Raise unless the actor has the right, a recent proof if asked for, and something left in its bucket."""
    actor = http_request.actor
    check(actor, permission)
    # Whoever came with a recovery code has nothing to prove again with, and may add a passkey only.
    if fresh and not (actor and actor.is_limited and permission == Permission.FACTOR_ADD):
        check_fresh(actor)
    # Whoever is signed in goes on guessing from the same network as before.
    is_own = actor and permission not in COUNTED_BY_NETWORK
    spend(limit, actor.sign_in_id.hex if actor and is_own else connection_network(http_request))
