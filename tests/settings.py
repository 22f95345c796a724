"""The product's settings under the test profile; whatever the environment already says is kept."""

import os
from pathlib import Path

os.environ.setdefault("NETWORK_PROFILE", "test")
os.environ.setdefault("NETWORK_SECRET_KEY", "only-for-tests-only-for-tests-only-for-tests")
# One folder, not one a run: mypy and test workers leave without tidying up.
os.environ.setdefault(
    "NETWORK_STATE_DIR", str(Path(__file__).resolve().parent.parent / ".cache" / "test-state")
)

from messaging.server_key import make_server_key
from network.project.settings import *  # noqa: F403 - the environment comes first
from network.project.settings import SERVER_KEY_FILE, STATIC_ROOT

# Nothing is collected for tests in this process; the folder's absence would be a warning.
STATIC_ROOT.mkdir(parents=True, exist_ok=True)
STORAGES = {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}

make_server_key(SERVER_KEY_FILE)
