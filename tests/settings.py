"""The product's settings under the test profile; whatever the environment already says is kept."""

import os
import tempfile

os.environ.setdefault("NETWORK_PROFILE", "test")
os.environ.setdefault("NETWORK_SECRET_KEY", "only-for-tests-only-for-tests-only-for-tests")
os.environ.setdefault("NETWORK_STATE_DIR", tempfile.mkdtemp(prefix="network-test-"))

from network.project.settings import *  # noqa: F403 - the environment comes first
