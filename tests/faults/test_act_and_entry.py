"""A process killed at any moment leaves no act without its audit entry and no entry without its act."""

import subprocess
import sys
from pathlib import Path

from tests.server import ROOT, PreparedState, Server

TRIES = 100

# One process sets up Django and makes the others from itself: each signs in and out without a pause, and is
# killed as a power cut would end it, at some moment after its first act.
KILLER = """
import os, random, signal, time
import django
django.setup()
from django.db import connection
from network.access import get_actor
from network.actions.sign_ins import begin_sign_in, end_sign_in
from network.demo import STATE_A

def act():
    sign_in = begin_sign_in(membership_id=STATE_A.persons[0].membership_id)
    end_sign_in(get_actor(sign_in.id))

act()  # everything is loaded before the first child is made
connection.close()
if connection.vendor == "postgresql":
    connection.close_pool()
chance = random.Random(20261122)
for _ in range({tries}):
    reading, writing = os.pipe()
    if (child := os.fork()) == 0:
        act()
        os.write(writing, b"x")
        while True:
            act()
    os.read(reading, 1)
    time.sleep(chance.uniform(0, 0.05))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    os.close(reading)
    os.close(writing)
"""


def ids(server: Server, query: str) -> list[str]:
    """Return ids in hexadecimal, however the database writes them."""
    return sorted(str(row[0]).replace("-", "") for row in server.sql(query))


def test_a_hundred_kills_leave_no_act_without_entry_and_no_entry_without_act(
    prepared_state: PreparedState, tmp_path: Path
) -> None:
    server = Server.from_prepared(prepared_state, tmp_path / "server")
    environment = {**server.environment, "DJANGO_SETTINGS_MODULE": "network.project.settings"}
    command = [sys.executable, "-c", KILLER.format(tries=TRIES)]
    subprocess.run(command, cwd=ROOT, env=environment, check=True, timeout=120)
    assert "holds" in server.manage("audit_verify")
    begun = ids(server, "SELECT id FROM network_signin")
    ended = ids(server, "SELECT id FROM network_signin WHERE ended_at IS NOT NULL")
    assert ids(server, "SELECT subject FROM network_auditentry WHERE act = 'sign-in:begin'") == begun
    assert ids(server, "SELECT subject FROM network_auditentry WHERE act = 'sign-in:end'") == ended
    sys.stdout.write(f"{TRIES} kills, {len(begun)} sign-ins begun, {len(ended)} ended\n")
    assert len(begun) > TRIES
