"""The REST face as OpenAPI 3.1: what the library knows of it, and what the guards and limits add."""

from collections.abc import Iterator, Mapping
from typing import Any

from network.frames import JSON_DEPTH, JSON_KEYS
from network.limits import DEFAULTS, REST_BODY_BYTES
from network.project.api import ROUTERS, api
from network.project.documents.codes import codes_by_status, table
from network.project.documents.examples import example_of

PREFIX = "/api/"
DESCRIPTION = f"""\
Requests over HTTP for programs of a central authority. What is sealed is sealed and opened by the program
itself; the server orders, keeps and delivers it. The guide is at `/api/sdk.md`, the sealed protocol at
`/api/protocol.md`, the WebSocket at `/api/asyncapi.json`.

- **Sign-in**: by passkey (`/sign-in/`), as the client of the guide does; it leaves a session cookie.
- **Changes** carry the value of the cookie `__Host-csrftoken` in the header `X-CSRFToken`, and the exact
  origin in `Origin`.
- **Bodies** are strict JSON of at most {REST_BODY_BYTES:,} bytes: UTF-8, no key twice, at most
  {JSON_DEPTH} levels and {JSON_KEYS} keys an object, no field that the schema does not name.
- **Binary** is standard base64, identifiers are lowercase hexadecimal, times unix seconds.
- **Answers** may gain fields; what is there keeps its meaning within a version.
- **Refusals** are `{{"error": {{"code", "message"}}}}`. The code is stable; the sentence is for a person,
  in the language of the account. Any code of the table in the sealed protocol may come with 422.
- **After 429 and 503** wait and repeat the same bytes: nothing was changed, and nothing is done twice.
- `x-limit` names what an operation takes from: so many at once (`burst`), refilled each second.
- `x-fresh` marks operations that ask for a proof of the last five minutes: sign in again after
  `proof-needed`.

In the development profile the cookies have no prefix `__Host-`."""
STATUS = {
    401: ("SignedOut", "Nobody is signed in, or the sign-in has ended."),
    403: ("Forbidden", "Not with this role, this proof or this form."),
    404: ("NotFound", "It is not there, or may not be seen: the answer is the same."),
    409: ("Conflict", "Somebody else was first: look again, then decide."),
    413: ("TooLarge", f"More than {REST_BODY_BYTES:,} bytes."),
    422: ("Invalid", "Not of the right shape, or against a rule."),
    429: ("TooMany", "Slowed, not locked: wait and repeat."),
    503: ("Unavailable", "Not now: repeat the same later."),
}
ALWAYS = (401, 403, 422, 429, 503)


def operations() -> Iterator[tuple[str, str, Any]]:
    """Give (path, method, guarded function) of every operation."""
    for router in ROUTERS:
        for path, view in router.path_operations.items():
            for operation in view.operations:
                for method in operation.methods:
                    yield PREFIX + path.lstrip("/"), method.lower(), operation.view_func


def openapi_document() -> dict[str, Any]:
    """Return the whole document."""
    document: dict[str, Any] = dict(api.get_openapi_schema(path_prefix=PREFIX))
    schemas = document["components"]["schemas"]
    schemas["Refusal"] = {
        "description": "Nothing was changed, and why.",
        "type": "object",
        "properties": {"error": {"$ref": "#/components/schemas/ErrorFacts"}},
        "required": ["error"],
    }
    document["info"] |= {
        "description": DESCRIPTION,
        "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
    }
    document["servers"] = [{"url": "/", "description": "The server that published this document"}]
    document["components"] |= {"responses": _refusals(), "securitySchemes": _security()}
    document["tags"] = []
    for path, method, function in operations():
        _complete(document["paths"][path][method], path, method, function, schemas)
    tags = {operation["tags"][0] for item in document["paths"].values() for operation in item.values()}
    document["tags"] = [{"name": tag} for tag in sorted(tags)]
    return document


def _security() -> dict[str, Any]:
    return {
        "session": {"type": "apiKey", "in": "cookie", "name": "__Host-session"},
        "form": {"type": "apiKey", "in": "header", "name": "X-CSRFToken"},
    }


def _refusals() -> dict[str, Any]:
    return {
        name: {
            "description": f"{why}\n\n{table(codes_by_status()[status])}",
            "content": {
                "application/json": {
                    "schema": {"$ref": "#/components/schemas/Refusal"},
                    "example": _refusal_example(status),
                }
            },
            "x-codes": list(codes_by_status()[status]),
        }
        for status, (name, why) in STATUS.items()
    }


def _refusal_example(status: int) -> dict[str, Any]:
    code, sentence = next(iter(codes_by_status()[status].items()))
    return {"error": {"code": code, "message": sentence}}


def _complete(
    operation: dict[str, Any], path: str, method: str, function: Any, schemas: Mapping[str, Any]
) -> None:
    """Add to one operation what its guard knows: right, limit, sign-in, refusals, examples."""
    limit = DEFAULTS[function.limit]
    is_change = method != "get"
    operation |= {
        "summary": operation["description"].partition(".")[0],
        "operationId": function.__name__.replace("_", "-"),
        "tags": [path.removeprefix(PREFIX).partition("/")[0]],
        "security": [{"session": [], "form": []} if is_change else {"session": []}],
        "x-permission": str(function.permission),
        "x-limit": {"name": limit.name, "burst": limit.burst, "per-second": round(limit.per_second, 4)},
        "x-fresh": function.fresh,
    }
    statuses = {*ALWAYS, *({404} if "{" in path else ()), *({409, 413} if is_change else ())}
    operation["responses"] = {str(code): answer for code, answer in operation["responses"].items()} | {
        str(status): {"$ref": f"#/components/responses/{STATUS[status][0]}"} for status in sorted(statuses)
    }
    for holder in (operation.get("requestBody"), operation["responses"]["200"]):
        content = (holder or {}).get("content", {}).get("application/json")
        if content:
            content["example"] = example_of(content["schema"], schemas)
