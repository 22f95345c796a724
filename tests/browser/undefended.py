"""Pages of the real server with other scripts in them: the client whose checks can be switched off."""

import base64
import hashlib
import json
import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from deploy import services
from tests.lying.server import Given
from tests.lying.switches import SWITCHES
from tests.server import ROOT

# The scripts' own name stands before the hash of the collected files.
SCRIPT = re.compile(r"/static/messaging/(client|start)(?:\.[0-9a-f]+)?\.js")
TAG = re.compile(rf'(src="{SCRIPT.pattern}" integrity=")[^"]*"'.encode())
NEEDED = re.compile(rb'<link rel="modulepreload" href="/static/messaging/[^>]*>')


@dataclass(frozen=True)
class Undefended:
    """The two scripts of pages, whole: they import nothing."""

    scripts: dict[str, bytes]

    @classmethod
    def build(cls, folder: Path) -> "Undefended":
        """Build them from the client's sources; raises CalledProcessError where a check stands no longer."""
        switches = folder / "switches.json"
        switches.write_text(json.dumps(SWITCHES))
        node = services.find_node().path
        command = [node, "tests/undefended.mjs", str(switches), str(folder / "scripts")]
        environment = {**os.environ, **services.node_environment()}
        subprocess.run(command, cwd=ROOT / "messaging" / "client", env=environment, check=True)
        return cls({name: (folder / "scripts" / f"{name}.js").read_bytes() for name in ("client", "start")})

    def instead(self, given: Given) -> Given:
        """Give these scripts, and pages that name their hashes; all else as `given`."""

        def give(path: str, content: bytes) -> bytes:
            found = SCRIPT.fullmatch(path)
            if found:
                return self.scripts[found[1]]
            return TAG.sub(self._with_hash, NEEDED.sub(b"", given(path, content)))

        return give

    def _with_hash(self, found: re.Match[bytes]) -> bytes:
        digest = hashlib.sha256(self.scripts[found[2].decode()]).digest()
        return found[1] + b"sha256-" + base64.b64encode(digest) + b'"'
