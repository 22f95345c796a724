"""The documents for programs: valid, complete, true to what the server answers, and published."""

import gzip
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from jsonschema import Draft202012Validator
from jsonschema.validators import validator_for

import network.protocol
from network.project.catalogue import COMMANDS, EVENTS
from network.project.documents.asyncapi import CLOSE_CODES, asyncapi_document
from network.project.documents.codes import codes_by_status
from network.project.documents.openapi import openapi_document
from network.project.documents.views import DOCUMENTS
from tests.permissions.doors import SAMPLES, all_routes
from tests.personas import Cast

pytestmark = pytest.mark.any_database
ROOT = Path(__file__).resolve().parent.parent.parent
SCHEMAS = ROOT / "tests" / "documents"
OPENAPI, ASYNCAPI = openapi_document(), asyncapi_document()
# Where what a program asks for is refused: every code that stands there has to be documented.
REFUSING = ("messaging/access.py", "messaging/actions", "messaging/queries.py", "network/frames.py",
            "network/project/api.py", "network/project/gateway.py")  # fmt: skip
NAMED_CODE = re.compile(r'(?:Invalid|Conflict|Forbidden|NotFound|TooMany|refusal)\(\s*"([a-z-]+)"')


def faults(document: dict[str, Any], schema: str) -> list[str]:
    """Return what the schema of a format finds wrong with a document."""
    rules = json.loads((SCHEMAS / schema).read_text(encoding="utf-8"))
    found = validator_for(rules)(rules).iter_errors(json.loads(json.dumps(document)))
    return [f"{'/'.join(map(str, error.path))}: {error.message[:200]}" for error in found]


def fits(document: dict[str, Any], schema: dict[str, Any], value: Any) -> list[str]:
    """Return what is wrong with a value by a schema of a document."""
    validator = Draft202012Validator({**schema, "components": document["components"]})
    return [
        f"{'/'.join(map(str, error.path))}: {error.message[:200]}" for error in validator.iter_errors(value)
    ]


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for inner in value.values():
            yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


def found_at(document: dict[str, Any], reference: str) -> bool:
    place: Any = document
    for step in reference.removeprefix("#/").split("/"):
        place = place.get(step) if isinstance(place, dict) else None
    return place is not None


def operations() -> Iterator[tuple[str, dict[str, Any]]]:
    for path, item in OPENAPI["paths"].items():
        for method, operation in item.items():
            yield f"{method.upper()} {path}", operation


def media(operation: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Give the JSON content of what is sent and of what comes back."""
    for holder in (operation.get("requestBody"), operation["responses"]["200"]):
        if holder and "application/octet-stream" not in holder["content"]:
            yield holder["content"]["application/json"]


def test_committed_documents_are_what_the_server_says() -> None:
    call_command("protocol", check=True)


def test_both_documents_are_valid_by_the_schema_of_their_format() -> None:
    assert faults(OPENAPI, "openapi-3.1.schema.json") == []
    assert faults(ASYNCAPI, "asyncapi-3.0.schema.json") == []


def test_a_broken_document_is_found() -> None:
    assert faults({**OPENAPI, "paths": []}, "openapi-3.1.schema.json")
    assert faults({**ASYNCAPI, "channels": {"socket": {"adress": "/"}}}, "asyncapi-3.0.schema.json")


@pytest.mark.parametrize("document", [OPENAPI, ASYNCAPI], ids=["openapi", "asyncapi"])
def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    found = set(references(document))
    assert found
    assert [reference for reference in found if not found_at(document, reference)] == []


def test_every_operation_of_the_rest_face_is_described_and_no_other() -> None:
    samples = {name: f"{{{name}}}" for name in SAMPLES}
    published = {f"/api/{name}" for name in DOCUMENTS}
    doors = {
        str(door)
        for door in all_routes({**SAMPLES, **samples})
        if door.path.startswith("/api/") and door.path not in published
    }
    assert {name for name, _ in operations()} == doors


def test_every_operation_says_what_it_asks_for_and_how_it_refuses() -> None:
    for name, operation in operations():
        assert {"401", "403", "422", "429", "503"} <= set(operation["responses"]), name
        assert operation["description"], name
        assert operation["x-permission"], name
        assert operation["x-limit"]["burst"] > 0, name
        is_change = not name.startswith("GET ")
        assert ("form" in operation["security"][0]) is is_change, name


def test_every_body_has_a_schema_and_an_example_that_fits() -> None:
    wrong = []
    for name, operation in operations():
        for content in media(operation):
            wrong += [f"{name} {fault}" for fault in fits(OPENAPI, content["schema"], content["example"])]
    assert wrong == []


def test_every_command_event_and_answer_of_the_socket_is_described_with_an_example() -> None:
    messages = ASYNCAPI["components"]["messages"]
    answers = {f"{name}.result" for name in COMMANDS}
    assert set(messages) == {*COMMANDS, *EVENTS, *answers, "refusal"}
    assert set(ASYNCAPI["operations"]) == {*COMMANDS, *EVENTS}
    wrong = [
        f"{name} {fault}"
        for name, message in messages.items()
        for example in message["examples"]
        for fault in fits(ASYNCAPI, message["payload"], example["payload"])
    ]
    assert wrong == []


def test_every_close_code_is_described() -> None:
    named = {value for name, value in vars(network.protocol).items() if name.startswith("CLOSE_")}
    assert named | {1008} == set(CLOSE_CODES)


def test_every_code_that_is_given_is_described() -> None:
    paths = [path for place in REFUSING for path in (ROOT / place, *(ROOT / place).glob("*.py"))]
    given = {code for path in paths if path.is_file() for code in NAMED_CODE.findall(path.read_text())}
    assert len(given) > 20
    assert sorted(given - {code for codes in codes_by_status().values() for code in codes}) == []


@pytest.mark.django_db
@pytest.mark.parametrize(
    "path", ["/api/session", "/api/authorities", "/api/threads", "/api/devices/requests"]
)
def test_answers_are_as_described(cast: Cast, path: str) -> None:
    (content,) = media(OPENAPI["paths"][path]["get"])
    answer = cast.officer_a.client().get(path)
    assert answer.status_code == 200
    assert fits(OPENAPI, content["schema"], answer.json()) == []


@pytest.mark.django_db
def test_refusals_are_as_described(client: Client) -> None:
    answer = client.get("/api/session")
    refusal = OPENAPI["components"]["responses"]["SignedOut"]
    assert fits(OPENAPI, refusal["content"]["application/json"]["schema"], answer.json()) == []
    assert answer.json()["error"]["code"] in refusal["x-codes"]


@pytest.mark.django_db
@pytest.mark.parametrize("name", DOCUMENTS)
def test_documents_are_published_for_everybody_to_keep(client: Client, name: str) -> None:
    response = client.get(f"/api/{name}")
    assert response.status_code == 200
    assert response.content == (ROOT / DOCUMENTS[name][0]).read_bytes()
    assert response.headers["cache-control"].startswith("public")
    again = client.get(f"/api/{name}", headers={"if-none-match": response.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    small = client.get(f"/api/{name}", headers={"accept-encoding": "gzip"})
    assert gzip.decompress(small.content) == response.content
    assert client.post(f"/api/{name}").status_code == 405
