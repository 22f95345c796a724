"""An example for every schema: the same at each making, and valid by the schema."""

from collections.abc import Mapping
from typing import Any

Schema = Mapping[str, Any]

_MOMENT = 1795305600
_AUDIENCE = "authority:" + "1f" * 16
# What stands for a field of this name, where its schema does not say more.
BY_NAME: dict[str, Any] = {
    "at": _MOMENT,
    "audience": _AUDIENCE,
    "changed_at": _MOMENT,
    "code": "stale-epoch",
    "device_roles": "officer",
    "functions": "MLA",
    "kind": "case",
    "message": "The correspondence has moved on in the meantime. Load it anew, then send it again.",
    "name": "Head, Legal Assistance Section",
    "net": "network.example/s1",
    "office": "Legal Assistance Section",
    "only": _AUDIENCE,
    "opened_at": _MOMENT,
    "received_at": _MOMENT,
    "reload": _AUDIENCE,
    "requested_at": _MOMENT,
    "role": "party",
    "roles": "officer",
    "server_time": _MOMENT,
    "since": _MOMENT,
    "state": "XA",
    "state_name": "State A",
}
BY_PATTERN = {
    "^[0-9a-f]{64}$": "5a" * 32,
    "^[0-9a-f]{32}$": "1f" * 16,
    "^([0-9a-f]{64}|new)$": "new",
    r"^\d{4}-\d{2}-\d{2}$": "2026-11-22",
}


def example_of(schema: Schema, definitions: Mapping[str, Schema], name: str = "") -> Any:
    """Return a value of this schema."""
    if "$ref" in schema:
        return example_of(definitions[schema["$ref"].rpartition("/")[2]], definitions, name)
    if "anyOf" in schema:
        kinds = [inner for inner in schema["anyOf"] if inner.get("type") != "null"]
        return example_of(kinds[0], definitions, name)
    if values := schema.get("enum", [schema["const"]] if "const" in schema else None):
        return values[0]
    return _by_type(schema, definitions, name)


def _by_type(schema: Schema, definitions: Mapping[str, Schema], name: str) -> Any:
    kind = schema.get("type")
    if kind == "object":
        return _object(schema, definitions)
    if kind == "array":
        return [example_of(schema["items"], definitions, name)]
    if kind == "boolean":
        return True
    if kind == "integer":
        return BY_NAME.get(name, max(schema.get("minimum", 0), 7))
    return _string(schema, name)


def _object(schema: Schema, definitions: Mapping[str, Schema]) -> dict[str, Any]:
    fields = schema.get("properties", {})
    found = {field: example_of(inner, definitions, field) for field, inner in fields.items()}
    extra = schema.get("additionalProperties")
    if not fields and isinstance(extra, Mapping):
        return {_AUDIENCE: example_of(extra, definitions)}
    return found


def _string(schema: Schema, name: str) -> str:
    if schema.get("contentEncoding") == "base64":
        return "c2VhbGVk"
    if "pattern" in schema:
        return BY_PATTERN[schema["pattern"]]
    return str(BY_NAME.get(name, name or "text"))
