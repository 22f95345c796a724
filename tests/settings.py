"""The product's settings under the test profile; whatever the environment already says is kept."""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

os.environ.setdefault("NETWORK_PROFILE", "test")
os.environ.setdefault("NETWORK_SECRET_KEY", "only-for-tests-only-for-tests-only-for-tests")
if "NETWORK_STATE_DIR" not in os.environ:
    os.environ["NETWORK_STATE_DIR"] = tempfile.mkdtemp(prefix="network-test-")
    atexit.register(shutil.rmtree, os.environ["NETWORK_STATE_DIR"], ignore_errors=True)
if worker := os.environ.get("PYTEST_XDIST_WORKER"):
    # Workers inherit the folder of the process that started them; each gets its own part of it.
    os.environ["NETWORK_STATE_DIR"] = str(Path(os.environ["NETWORK_STATE_DIR"]) / worker)

from messaging.server_key import make_server_key
from network.project.settings import *  # noqa: F403 - the environment comes first
from network.project.settings import SERVER_KEY_FILE, STATIC_ROOT

# Nothing is collected for tests in this process; the folder's absence would be a warning.
STATIC_ROOT.mkdir(parents=True, exist_ok=True)
STORAGES = {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}

make_server_key(SERVER_KEY_FILE)
