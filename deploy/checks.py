"""The steps of deploy/test: what runs, in which order, and the report at the end.

Every step runs even when an earlier one failed; the exit status says whether all passed. The last line has
the form of pytest's own summary and adds up what the pytest parts counted.
"""

import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree as ET

from deploy import services

ROOT = Path(__file__).resolve().parent.parent
CLIENT = ROOT / "messaging" / "client"
PICTURES = ROOT / "build" / "screenshots"
BUNDLE = ROOT / "messaging" / "static" / "messaging"
QUICK = ("lint", "sqlite")
# What says something about how people use the product is run again where several machines would run it.
BEHAVIOUR = ("permissions", "network", "forum", "messaging", "realtime", "sdk", "faults")
# These start servers and clients of their own, and some kill them: slower than all the rest together.
PROCESSES = ("sdk", "faults")
# Tests that wait for processes of their own leave a core idle, where no database and Redis take what is left.
WAITING = 3
# Playwright's loop and pytest-asyncio's do not mix.
IN_THE_BROWSER = ("browser", "client")


@dataclass(frozen=True)
class Outcome:
    """How one step ended."""

    name: str
    passed: bool
    seconds: float
    note: str = ""


@dataclass
class Report:
    """What has run so far, and what pytest counted."""

    outcomes: list[Outcome] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    began: float = field(default_factory=time.monotonic)

    def add(self, outcome: Outcome, output: str = "") -> None:
        """Keep an outcome; print it, with its output where that says why it failed."""
        self.outcomes.append(outcome)
        mark = "ok    " if outcome.passed else "FAILED"
        print(f"{mark} {outcome.name}  {outcome.seconds:.1f} s  {outcome.note}".rstrip(), flush=True)
        if output and not outcome.passed:
            print(output.rstrip() + "\n", flush=True)

    def close(self) -> int:
        """Print the table and the summary line; return the exit status."""
        passed = all(outcome.passed for outcome in self.outcomes)
        width = max((len(outcome.name) for outcome in self.outcomes), default=0)
        print("\nParts")
        for outcome in self.outcomes:
            result = f"{'ok' if outcome.passed else 'FAILED':<6}  {outcome.seconds:>6.1f} s"
            print(f"  {outcome.name:<{width}}  {result}  {outcome.note}".rstrip())
        if not passed and not self.counts["failed"]:
            self.counts["failed"] = sum(not outcome.passed for outcome in self.outcomes)
        seconds = time.monotonic() - self.began
        print(f" {in_words(self.counts)} in {seconds:.2f}s ".center(80, "="), flush=True)
        return 0 if passed else 1


def in_words(counts: Mapping[str, int]) -> str:
    """Return counts as pytest words them."""
    words = ("failed", "passed", "skipped", "error")
    return ", ".join(f"{counts[word]} {word}" for word in words if counts.get(word)) or "no tests ran"


@dataclass(frozen=True)
class Step:
    """One command without a test count; it passes when it exits 0."""

    name: str
    command: Sequence[str]
    folder: Path = ROOT
    environment: Mapping[str, str] = field(default_factory=dict)

    def run(self) -> tuple[Outcome, str]:
        """Run the command and return how it ended, with everything it printed."""
        began = time.monotonic()
        result = subprocess.run(
            self.command,
            cwd=self.folder,
            env={**os.environ, **self.environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        return Outcome(self.name, result.returncode == 0, time.monotonic() - began), result.stdout


def run_lanes(report: Report, *lanes: Sequence[Step]) -> None:
    """Run lanes of steps beside each other, the steps of a lane one after the other."""

    def run_lane(lane: Sequence[Step]) -> None:
        for step in lane:
            report.add(*step.run())

    with ThreadPoolExecutor(len(lanes)) as pool:
        list(pool.map(run_lane, lanes))


# --- Lint, types, generated files ---------------------------------------------------------------------------


def python(*arguments: str) -> list[str]:
    """Return the argv of this environment's Python."""
    return [sys.executable, *arguments]


def python_steps() -> list[Step]:
    """Return the static checks of the Python side."""

    def manage(name: str, *arguments: str) -> Step:
        return Step(
            name, python("manage.py", *arguments), environment={"DJANGO_SETTINGS_MODULE": "tests.settings"}
        )

    return [
        Step("ruff check", python("-m", "ruff", "check", "--no-fix", ".")),
        Step("ruff format", python("-m", "ruff", "format", "--check", ".")),
        Step("mypy", python("-m", "mypy", ".")),
        manage("migrations", "makemigrations", "--check", "--dry-run"),
        manage("protocol types", "protocol", "--check"),
        Step("message catalogs", python("-m", "deploy.catalogs", "check")),
    ]


def client_steps() -> list[Step]:
    """Return the static checks of the browser client, with what they need installed first."""
    environment = services.node_environment()

    def script(name: str) -> Step:
        command = services.npm_command("run", "--silent", name)
        return Step(f"client {name}", command, CLIENT, environment)

    return [
        Step("client packages", python("-m", "deploy.checks", "install-client"), environment=environment),
        script("lint"),
        script("types"),
        Step("client bundle", python("-m", "deploy.checks", "compare-bundle"), environment=environment),
    ]


def install_client() -> int:
    """Make node_modules from the lock file, unless it was made from the present one.

    Not `npm ci`: it refuses a lock without the builds for other systems, which not every mirror carries. What
    it would promise is compared afterwards: each installed package has the lock's version and digest.
    """
    marker = CLIENT / "node_modules" / ".installed"
    wanted = hashlib.sha256((CLIENT / "package-lock.json").read_bytes()).hexdigest()
    if marker.is_file() and marker.read_text() == wanted:
        return 0
    command = services.npm_command("install", "--no-save", "--ignore-scripts", "--no-audit", "--no-fund")
    if status := subprocess.run(command, cwd=CLIENT, check=False).returncode:
        return status
    if unlocked := packages_not_locked():
        print(
            f"error: not as in package-lock.json: {', '.join(unlocked)}. Run `npm install` there; commit it."
        )
        return 1
    marker.write_text(wanted)
    return 0


def packages_not_locked() -> list[str]:
    """Return installed packages without their equal in the lock, and requirements that it does not know."""
    lock = json.loads((CLIENT / "package-lock.json").read_text())["packages"]
    declared = json.loads((CLIENT / "package.json").read_text())
    groups = ("dependencies", "devDependencies")
    unlocked = [group for group in groups if declared.get(group) != lock[""].get(group)]
    installed = json.loads((CLIENT / "node_modules" / ".package-lock.json").read_text())["packages"]
    for name, package in installed.items():
        locked = lock.get(name, {})
        keys = ("version", "integrity")
        if not package.get("integrity") or any(package.get(key) != locked.get(key) for key in keys):
            unlocked.append(name)
    return unlocked


def compare_bundle() -> int:
    """Build the client elsewhere and compare every file with the committed one, byte for byte."""
    with tempfile.TemporaryDirectory() as folder:
        status = subprocess.run(
            [services.find_node().path, "build.mjs", folder], cwd=CLIENT, check=False
        ).returncode
        built = {path.name: path.read_bytes() for path in Path(folder).glob("*.js")}
    committed = {path.name: path.read_bytes() for path in BUNDLE.glob("*.js")}
    names = sorted(built.keys() | committed.keys())
    different = [name for name in names if built.get(name) != committed.get(name)]
    if status or different or not built:
        print(f"error: {', '.join(different) or 'the bundle'}: not what the sources give.")
        print("Run `npm run build` in messaging/client and commit messaging/static/messaging.")
        return 1
    return 0


def run_lint(report: Report) -> None:
    """Run all static checks, Python's and the client's beside each other."""
    run_lanes(report, python_steps(), client_steps())


# --- pytest -------------------------------------------------------------------------------------------------


def test_folders() -> list[str]:
    """Return the names of the folders under tests that hold tests."""
    folders = (path for path in (ROOT / "tests").iterdir() if path.is_dir())
    return sorted(folder.name for folder in folders if any(folder.rglob("test_*.py")))


def run_pytest(
    report: Report,
    name: str,
    folders: Sequence[str],
    environment: Mapping[str, str],
    *,
    spread: str,
    workers: int = 2,
) -> None:
    """Run pytest with its output shown as it comes, and add what it counted.

    `spread` is how tests come to the workers: `worksteal` keeps neighbours together until one is idle,
    `loadfile` keeps those of a file together in any case.
    """
    began = time.monotonic()
    print(f"\n--- {name}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        results = Path(folder) / "results.xml"
        options = ["-q", "-n", str(workers), "--dist", spread, "--durations=15", f"--junit-xml={results}"]
        command = python("-m", "pytest", *options, *(f"tests/{name}" for name in folders))
        status = subprocess.run(command, cwd=ROOT, env={**os.environ, **environment}, check=False).returncode
        counts = read_counts(results)
    report.counts.update(counts)
    # Exit 5, nothing collected, is a failure too: a part without tests would prove nothing.
    passed = status == 0 and counts["passed"] > 0
    report.add(Outcome(name, passed, time.monotonic() - began, in_words(counts)))


def read_counts(results: Path) -> dict[str, int]:
    """Return what pytest counted; a run that wrote nothing counts as one error."""
    if not results.exists():
        return {"failed": 0, "passed": 0, "skipped": 0, "error": 1}
    suite = next(ET.parse(results).getroot().iter("testsuite"))  # noqa: S314 - pytest wrote it a moment ago
    keys = ("tests", "failures", "errors", "skipped")
    total, failed, error, skipped = (int(suite.get(key, 0)) for key in keys)
    passed = total - failed - error - skipped
    return {"failed": failed, "passed": passed, "skipped": skipped, "error": error}


def has_client_packages(report: Report) -> bool:
    """Install what builds the client and runs it in Node; False, and a failed step, when that cannot be."""
    if install_client():
        report.add(Outcome("client packages", False, 0, "see above"))
        return False
    return True


def run_sqlite(report: Report) -> None:
    """Run what needs neither a browser nor a server of its own, on SQLite and the in-process layer."""
    if not has_client_packages(report):  # devices in Node live through histories with those in Python
        return
    folders = [name for name in test_folders() if name not in (*PROCESSES, *IN_THE_BROWSER)]
    run_pytest(report, "architecture, sealed, SQLite", folders, {}, spread="worksteal")


def run_processes(report: Report) -> None:
    """Run real servers and clients on SQLite, kill them, search what they leave."""
    folders = [name for name in test_folders() if name in PROCESSES]
    run_pytest(report, "processes on SQLite", folders, {}, spread="worksteal", workers=WAITING)


def run_network(report: Report) -> None:
    """Run the behaviour tests again on PostgreSQL and Redis, and the fault tests."""
    folders = [name for name in test_folders() if name in BEHAVIOUR]
    with services.database_and_redis() as environment:
        run_pytest(report, "PostgreSQL and Redis", folders, environment, spread="worksteal")


def run_browser(report: Report) -> None:
    """Run the client's own tests and the journeys in Chromium."""
    folders = [name for name in test_folders() if name in IN_THE_BROWSER]
    if not has_client_packages(report):
        return
    # By file: the world of all pages, and the stage of all lies, are each made once.
    run_pytest(report, "client and Chromium", folders, services.node_environment(), spread="loadfile")
    pictures = sorted(PICTURES.glob("*.png"))
    print(f"Pictures of every page, {len(pictures)} in all: {PICTURES}", flush=True)


# --- Command line -------------------------------------------------------------------------------------------

PARTS: dict[str, Callable[[Report], None]] = {
    "lint": run_lint,
    "sqlite": run_sqlite,
    "processes": run_processes,
    "network": run_network,
    "browser": run_browser,
}
HELPERS: dict[str, Callable[[], int]] = {"install-client": install_client, "compare-bundle": compare_bundle}


def print_versions(report: Report) -> None:
    """Print what was found; a missing service is a failed step with the command to run."""
    began = time.monotonic()
    try:
        for name, found in services.versions().items():
            print(f"{name:<11}{found}")
        report.add(Outcome("services", True, time.monotonic() - began))
    except services.ServiceMissing as error:
        report.add(Outcome("services", False, time.monotonic() - began), f"error: {error}")


def forget_deployment() -> None:
    """Keep the settings of a deployment on this machine out of the tests."""
    for name in [name for name in os.environ if name.startswith(("NETWORK_", "DJANGO_"))]:
        if not name.startswith("NETWORK_TEST_"):
            del os.environ[name]


def main(arguments: Sequence[str]) -> int:
    """Run the parts that were asked for; without any, all."""
    if len(arguments) == 1 and arguments[0] in HELPERS:
        return HELPERS[arguments[0]]()
    chosen = QUICK if list(arguments) == ["quick"] else tuple(arguments) or tuple(PARTS)
    if unknown := [part for part in chosen if part not in PARTS]:
        known = ", ".join(("quick", *PARTS))
        print(f"error: no such part: {', '.join(unknown)}. Parts: {known}.", file=sys.stderr)
        return 2
    report = Report()
    forget_deployment()
    print_versions(report)
    for part in chosen:
        try:
            PARTS[part](report)
        except services.ServiceMissing as error:
            report.add(Outcome(part, False, 0), f"error: {error}")
    return report.close()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
