"""The one WebSocket as AsyncAPI 3.0: frames, commands with their answers, events, close codes, resuming."""

from typing import Any

from pydantic.json_schema import models_json_schema

from network.frames import JSON_DEPTH, JSON_KEYS, Body
from network.limits import DEFAULTS, SOCKET_FRAME_BYTES
from network.project.catalogue import COMMANDS, EVENTS
from network.project.documents.codes import codes_by_status
from network.project.documents.examples import example_of
from network.project.gateway import CLOSE_FLOODING, REF_LENGTH
from network.protocol import (
    CLOSE_COME_BACK,
    CLOSE_SIGNED_OUT,
    CLOSE_TOO_MANY,
    CLOSE_TOO_SLOW,
    PROTOCOL_VERSION,
    QUEUE_EMPTIED,
    SESSION_OPENED,
)

REFERENCE = "#/components/schemas/"
CLOSE_CODES = {
    CLOSE_FLOODING: "Too many frames that could not be read. Do not come back before the cause is mended.",
    CLOSE_SIGNED_OUT: "The sign-in has ended. Sign in again.",
    CLOSE_TOO_SLOW: "Nothing was taken for half a minute. Connect again and resume.",
    CLOSE_COME_BACK: "The server restarts. Connect again after a moment, and resume.",
    CLOSE_TOO_MANY: "Too many sockets at once: 10 of a sign-in or 200 of an authority, unless set otherwise.",
}
DESCRIPTION = f"""\
One socket for each program, at `/socket/`, with the session cookie of the sign-in and the exact origin in
`Origin`; anything else is refused before it is accepted (HTTP 403). Requests over HTTP are at
`/api/openapi.json`, the guide at `/api/sdk.md`.

**Frames** are text, strict JSON, at most {SOCKET_FRAME_BYTES:,} bytes, {JSON_DEPTH} levels, {JSON_KEYS}
keys an object. A command is `{{"id", "command", "body"}}` with an id of 1 to {REF_LENGTH} characters that
the client chooses; its answer is `{{"id", "result"}}` or `{{"id", "error": {{"code", "message"}}}}`. A
frame that cannot be read is answered with the id null. Answers come in any order. An answer to a change
comes after it is durably kept.

**Events** are `{{"event", "audience", "seq", "body"}}`. An audience is `authority:<id>` or `person:<id>`.
Each audience has a sequence without gaps: its events come in order, each once. `{SESSION_OPENED}` and
`{QUEUE_EMPTIED}` have no sequence.

**To begin**: wait for `{SESSION_OPENED}`, then send `network.session.resume` once with the last sequence
kept of each audience (the cursors of `{SESSION_OPENED}` at the very first time). No event comes before.
Audiences under `reload` cannot be gone on from: load their state anew over HTTP. `{QUEUE_EMPTIED}` says
that all that was missed has been sent. Keep a cursor only when what the event tells of is kept. With
`only`, a socket hears these audiences and no others.

**To come back**: after any close but 1008 and 4401 connect again, a little later each time (at most about
30 seconds), and resume. Repeat commands without an answer with the same bytes: a message with the same id
and bytes is answered as the first time.

`x-limit` names what a command takes from: so many at once (`burst`), refilled each second."""


def asyncapi_document() -> dict[str, Any]:
    """Return the whole document."""
    schemas = _schemas()
    messages = _messages(schemas)
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Network of central authorities: the WebSocket",
            "version": str(PROTOCOL_VERSION),
            "description": DESCRIPTION,
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "servers": {
            "network": {
                "host": "network.example",
                "protocol": "wss",
                "description": "The host that published this document",
                "security": [{"$ref": "#/components/securitySchemes/session"}],
            }
        },
        "channels": {
            "socket": {
                "address": "/socket/",
                "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in messages},
                "bindings": {"ws": {"method": "GET", "bindingVersion": "0.1.0"}},
                "x-close-codes": {str(code): why for code, why in sorted(CLOSE_CODES.items())},
            }
        },
        "operations": _operations(),
        "components": {
            "messages": messages,
            "schemas": schemas,
            "securitySchemes": {
                "session": {
                    "type": "httpApiKey",
                    "in": "cookie",
                    "name": "__Host-session",
                    "description": "Left by the sign-in",
                }
            },
        },
    }


def _schemas() -> dict[str, Any]:
    bodies = {body for command in COMMANDS.values() for body in (command.body, command.result)}
    bodies |= {event.body for event in EVENTS.values()}
    ordered = sorted(bodies, key=lambda body: body.__name__)
    _, schema = models_json_schema(
        [(body, "serialization") for body in ordered], ref_template=REFERENCE + "{model}"
    )
    found: dict[str, Any] = dict(schema["$defs"])
    found["RefusalFacts"] = {
        "title": "RefusalFacts",
        "description": "A stable code for programs and a sentence for a person.",
        "type": "object",
        "properties": {
            "code": {"type": "string", "examples": ["too-many"]},
            "message": {"type": "string", "examples": ["Too much at once. Wait a moment and try again."]},
        },
        "required": ["code", "message"],
    }
    return found


def _body(body: type[Body]) -> dict[str, Any]:
    return {"$ref": REFERENCE + body.__name__}


def _frame(**fields: Any) -> dict[str, Any]:
    return {"type": "object", "properties": fields, "required": list(fields), "additionalProperties": False}


_ID = {"type": "string", "minLength": 1, "maxLength": REF_LENGTH, "examples": ["7"]}


def _message(name: str, payload: dict[str, Any], summary: str, schemas: dict[str, Any]) -> dict[str, Any]:
    example = example_of(payload, schemas)
    if "id" in example:
        example["id"] = "7"
    return {"name": name, "summary": summary, "payload": payload, "examples": [{"payload": example}]}


def _messages(schemas: dict[str, Any]) -> dict[str, Any]:
    found = {}
    for name, command in sorted(COMMANDS.items()):
        asked = _frame(id=_ID, command={"const": name}, body=_body(command.body))
        found[name] = _message(name, asked, _first_line(command.body), schemas)
        answered = _frame(id=_ID, result=_body(command.result))
        found[f"{name}.result"] = _message(f"{name}.result", answered, _first_line(command.result), schemas)
    for name, event in sorted(EVENTS.items()):
        place = {"audience": {"type": "string"}, "seq": {"type": "integer", "minimum": 1}}
        frame = _frame(
            event={"const": name},
            **({} if name in {SESSION_OPENED, QUEUE_EMPTIED} else place),
            body=_body(event.body),
        )
        found[name] = _message(name, frame, _first_line(event.body), schemas)
    refused = _frame(
        id={"type": ["string", "null"], "maxLength": REF_LENGTH}, error={"$ref": REFERENCE + "RefusalFacts"}
    )
    found["refusal"] = {
        **_message("refusal", refused, "Nothing was changed, and why.", schemas),
        "x-codes": {str(status): list(codes) for status, codes in codes_by_status().items()},
    }
    return found


def _first_line(body: type[Body]) -> str:
    return (body.__doc__ or "").partition("\n")[0]


def _operations() -> dict[str, Any]:
    """Return one operation for each command (the server receives it) and each event (it sends it)."""
    found: dict[str, Any] = {}
    for name, command in sorted(COMMANDS.items()):
        limit = DEFAULTS[command.limit]
        found[name] = {
            "action": "receive",
            "channel": {"$ref": "#/channels/socket"},
            "summary": _first_line(command.body),
            "messages": [_in_channel(name)],
            "reply": {
                "channel": {"$ref": "#/channels/socket"},
                "messages": [_in_channel(f"{name}.result"), _in_channel("refusal")],
            },
            "x-permission": str(command.permission),
            "x-limit": {"name": limit.name, "burst": limit.burst, "per-second": round(limit.per_second, 4)},
        }
    for name, event in sorted(EVENTS.items()):
        found[name] = {
            "action": "send",
            "channel": {"$ref": "#/channels/socket"},
            "summary": _first_line(event.body),
            "messages": [_in_channel(name)],
            "x-permission": str(event.permission),
        }
    return found


def _in_channel(message: str) -> dict[str, str]:
    return {"$ref": f"#/channels/socket/messages/{message}"}
