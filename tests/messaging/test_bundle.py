"""The list of scripts that the server gives to browsers: published, and in the log whenever it changes."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client

from messaging.actions.log import log_bundle
from messaging.bundle import manifest, manifest_hash
from messaging.log_key import label_key
from messaging.models import LogLeaf
from messaging.sealed.transparency import log_label, read_leaf

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.any_database]
SCRIPTS = {"messaging/client.js": b"export {}", "network/session.js": b"'use strict'"}


@pytest.fixture
def collected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let two scripts be collected, beside a style sheet and a script of an earlier release."""
    for name, data in {
        **SCRIPTS,
        "messaging/chunk-OLD.js": b"old",
        "network/base.css": b"a{}",
        "account/x.js": b"x",
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(data)
    paths = {name: name for name in [*SCRIPTS, "network/base.css", "account/x.js"]}
    (tmp_path / "staticfiles.json").write_text(json.dumps({"paths": paths}))
    monkeypatch.setattr(settings, "STATIC_ROOT", tmp_path)
    manifest.cache_clear()
    yield
    manifest.cache_clear()


@pytest.mark.usefixtures("collected")
def test_the_list_has_every_script_of_this_release_and_anybody_can_read_it() -> None:
    lines = [f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in sorted(SCRIPTS.items())]
    answer = Client().get("/log/bundle")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert answer.content.decode() == "".join(lines)
    assert manifest_hash() == hashlib.sha256(answer.content).digest()


def test_the_log_has_the_list_once_until_it_changes() -> None:
    assert log_bundle(b"1" * 32)
    assert not log_bundle(b"1" * 32)
    assert log_bundle(b"2" * 32)
    assert log_bundle(b"1" * 32)
    leaves = [
        read_leaf(bytes(row.leaf)) for row in LogLeaf.objects.filter(type="bundle").order_by("position")
    ]
    assert [(leaf.n, leaf.value[:1]) for leaf in leaves] == [(0, b"1"), (1, b"2"), (2, b"1")]
    assert {leaf.label for leaf in leaves} == {log_label(label_key(), "bundle", b"bundle")}
