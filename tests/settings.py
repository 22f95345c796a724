"""The product's settings under the test profile; whatever the environment already says is kept."""

import os
from pathlib import Path

os.environ.setdefault("NETWORK_PROFILE", "test")
os.environ.setdefault("NETWORK_SECRET_KEY", "only-for-tests-only-for-tests-only-for-tests")
# One folder, not one a run: mypy and test workers leave without tidying up.
os.environ.setdefault(
    "NETWORK_STATE_DIR", str(Path(__file__).resolve().parent.parent / ".cache" / "test-state")
)

from network.key_file import make_key_file
from network.project.settings import *  # noqa: F403 - the environment comes first
from network.project.settings import FIELD_KEY_FILE, PUSH_KEY_FILE, SERVER_KEY_FILE, STATIC_ROOT

# Nothing is collected for tests in this process; the folder's absence would be a warning.
STATIC_ROOT.mkdir(parents=True, exist_ok=True)
STORAGES = {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}

make_key_file(SERVER_KEY_FILE)
make_key_file(FIELD_KEY_FILE)
make_key_file(PUSH_KEY_FILE)

# The databases of tests begin anew again and again, with one folder of keys; tests of the mark name a file.
LOG_MARK_FILE = None
