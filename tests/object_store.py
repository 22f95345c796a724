"""A real S3-compatible server (rclone's) over a folder."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from deploy import services
from network.project.settings import Bucket

RCLONE = Path(sys.executable).with_name("rclone")
KEY, SECRET = "an-access-key", "the-secret-of-it"


@contextmanager
def object_store_in(folder: Path) -> Iterator[Bucket]:
    """Serve an empty bucket whose objects are files below the folder's `chunks`."""
    (folder / "chunks").mkdir(parents=True)
    port = services.free_port()
    command = [str(RCLONE), "serve", "s3", str(folder), "--addr", f"127.0.0.1:{port}"]
    command += ["--auth-key", f"{KEY},{SECRET}", "--config", "", "--dir-cache-time", "0s"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            for _ in range(200):
                try:
                    httpx.get(f"http://127.0.0.1:{port}/", trust_env=False)
                    break
                except httpx.TransportError:
                    time.sleep(0.05)
            yield Bucket(f"http://127.0.0.1:{port}", "chunks", "us-east-1", KEY, SECRET)
        finally:
            server.terminate()
            server.wait()


def settings_of(bucket: Bucket) -> dict[str, str]:
    """Return what a server is told to keep its chunks there."""
    return {
        "NETWORK_CHUNKS_URL": f"s3+{bucket.origin}/{bucket.bucket}?region={bucket.region}",
        "NETWORK_CHUNKS_KEY": bucket.key,
        "NETWORK_CHUNKS_SECRET": bucket.secret,
    }
