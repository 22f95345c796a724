"""The browser client's own tests, which run in Node beside their sources (messaging/client/tests)."""

import os
import re
import subprocess
from pathlib import Path

from deploy import services

CLIENT = Path(__file__).resolve().parent.parent.parent / "messaging" / "client"


def test_client_tests_pass_in_node() -> None:
    result = subprocess.run(
        services.npm_command("test", "--silent"),
        cwd=CLIENT,
        env={**os.environ, **services.node_environment(), "CI": "true"},
        capture_output=True,
        text=True,
        check=False,
    )
    report = result.stdout + result.stderr
    assert result.returncode == 0, report
    counts = [int(found) for found in re.findall(r"^\S+ (?:pass|passed) (\d+)$", report, re.MULTILINE)]
    assert sum(counts) > 0, f"no test of the client ran:\n{report}"
