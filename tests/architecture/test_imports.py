"""Who may import whom: the contracts between modules of pyproject.toml, and what concerns one file alone."""

import ast
import subprocess
import sys
import tomllib
from collections.abc import Iterator

import pytest

from tests.architecture.sources import ROOT, imports, matching, product_modules, report, text, tree

CRYPTOGRAPHY = ("cryptography", "hashlib", "hmac", "secrets")
# Cryptography outside messaging/sealed, each with what it is for. None of it touches what is sealed.
NAMED_PYTHON = {
    "messaging/chunks/objects.py": "signs requests to the store of chunks, which are sealed before they come",
    "messaging/sdk/attachments.py": "hashes a file before it is sealed, to know the same one again",
    "messaging/sdk/passkey.py": "signs in as an authenticator does; never touches what is sealed",
    "messaging/tools/files.py": "hashes the files beside a record, to hold them against what was signed",
    "messaging/server_key.py": "makes the seed of the server's signing key; sealed/keys.py signs with it",
    "network/actions/proposals.py": "names how the object of a proposal stood by a hash",
    "network/audit_check.py": "chains audit entries, and checks exports of them",
    "network/field_encryption.py": "encrypts addresses and factor secrets at rest",
    "network/key_file.py": "makes key files",
    "network/push.py": "signs empty messages to push services as this server's (VAPID)",
    "network/scripts.py": "names scripts by their hashes, for browsers to check",
    "network/realtime.py": "shortens audiences to channel group names",
}
CLIENT_CRYPTOGRAPHY = ("crypto.subtle.", 'from "hpke', "from 'hpke", "@panva/hpke-noble", "@noble/")
NAMED_CLIENT = {
    "messaging/client/src/store/": "keeps keys in IndexedDB under a device key that never leaves it",
}


def problems_of_protocol(path: str, module: ast.AST) -> Iterator[str]:
    """A catalogue of commands and events is plain types: no models, no actions, no Django."""
    app = path.partition("/")[0]
    allowed = ("network.frames", f"{app}.permissions", f"{app}.protocol")
    for line, name in imports(module):
        is_plain = name.partition(".")[0] in {*sys.stdlib_module_names, "pydantic", "annotated_types"}
        if not is_plain and not name.startswith(allowed):
            yield f"{path}:{line} imports {name}"


def problems_of_cryptography(path: str, module: ast.AST) -> Iterator[str]:
    """Cryptography lives in messaging/sealed, where its rules are numbered and tested."""
    if path.startswith("messaging/sealed/") or path in NAMED_PYTHON:
        return
    for line, name in imports(module):
        if name.partition(".")[0] in CRYPTOGRAPHY:
            yield f"{path}:{line} imports {name}"


def problems_of_client_cryptography(path: str, source: str) -> Iterator[str]:
    """The same in the browser client: src/sealed, and the key store."""
    if path.startswith(("messaging/client/src/sealed/", *NAMED_CLIENT)):
        return
    for number, line in enumerate(source.splitlines(), 1):
        yield from (f"{path}:{number} uses {word}" for word in CLIENT_CRYPTOGRAPHY if word in line)


def unlisted_base_modules(listed: str, present: set[str]) -> set[str]:
    """Return the modules of network that the layer contract does not name."""
    names = {name.strip(" ()").removeprefix("network.") for name in listed.replace("\n", "").split(":")}
    return present - names - {"project", "management"}


def test_import_contracts_hold() -> None:
    script = "from importlinter.cli import lint_imports; raise SystemExit(lint_imports(no_cache=True))"
    result = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr


def test_contract_names_every_base_module() -> None:
    contracts = tomllib.loads(text("pyproject.toml"))["tool"]["importlinter"]["contracts"]
    base = next(contract for contract in contracts if contract["id"] == "apps")["layers"][-1]
    children = [path.split("/")[1] for path in product_modules() if path.startswith("network/")]
    present = {child.removesuffix(".py") for child in children} - {"__init__"}
    assert not unlisted_base_modules(base, present)
    assert unlisted_base_modules(base, {"sideways"}) == {"sideways"}


def test_protocol_catalogues_are_plain_types() -> None:
    paths = [path for path in product_modules() if path.split("/")[1:2] in (["protocol.py"], ["protocol"])]
    assert not report(problem for path in paths for problem in problems_of_protocol(path, tree(path)))


def test_cryptography_is_in_the_sealed_part_only() -> None:
    python = [problem for path in product_modules() for problem in problems_of_cryptography(path, tree(path))]
    client = [
        problem
        for path in matching(".ts", below=["messaging/client/src/"])
        for problem in problems_of_client_cryptography(path, text(path))
    ]
    assert not report([*python, *client])


@pytest.mark.parametrize(
    "source", ["from messaging.models import Thread", "import django", "from network.actions import x"]
)
def test_a_catalogue_with_a_forbidden_import_is_found(source: str) -> None:
    assert list(problems_of_protocol("messaging/protocol.py", ast.parse(source)))


@pytest.mark.parametrize(
    "source", ["import hashlib", "from cryptography.x509 import load_pem_x509_certificate"]
)
def test_stray_cryptography_is_found(source: str) -> None:
    assert list(problems_of_cryptography("forum/views.py", ast.parse(source)))
    assert list(problems_of_client_cryptography("messaging/client/src/views/a.ts", "crypto.subtle.digest()"))
