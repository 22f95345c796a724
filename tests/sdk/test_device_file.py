"""The one file of a device: opened by its passphrase only, never in clear, never half written."""

import base64
import stat
from pathlib import Path

import pytest

from messaging.demo.traces import files_under, find_in
from messaging.sdk.device_file import Contents, DeviceFile, Outgoing
from messaging.sdk.errors import DeviceFileInUse, WrongPassphrase
from messaging.sealed.errors import Refused
from messaging.sealed.passphrase import COST_MOST, FileKey, unlock
from tests.sdk.conftest import COST, HEAD_A, PASSPHRASE, Desks, Pair

# A file on the client's disk: the same on any database.
pytestmark = pytest.mark.any_database


def made(path: Path) -> DeviceFile:
    """Return an open file with something in it."""
    file = DeviceFile.open(path, PASSPHRASE, cost=COST)
    file.contents = Contents(
        device={"sig_seed": "c2VlZA=="}, handled={"ab": 3}, outbox=[Outgoing("ab", "cd", "ef", "gh")]
    )
    file.save()
    return file


def test_what_was_saved_is_there_again(tmp_path: Path) -> None:
    first = made(tmp_path / "device")
    first.close()
    second = DeviceFile.open(tmp_path / "device", PASSPHRASE)
    assert second.contents == first.contents
    second.close()


def test_wrong_passphrase_opens_nothing(tmp_path: Path) -> None:
    made(tmp_path / "device").close()
    with pytest.raises(WrongPassphrase):
        DeviceFile.open(tmp_path / "device", PASSPHRASE + " ")
    DeviceFile.open(tmp_path / "device", PASSPHRASE).close()


@pytest.mark.parametrize("place", [0, 20, 60, 150, -1])
def test_changed_file_opens_with_no_passphrase(tmp_path: Path, place: int) -> None:
    made(tmp_path / "device").close()
    data = bytearray((tmp_path / "device").read_bytes())
    data[place] ^= 1
    (tmp_path / "device").write_bytes(data)
    with pytest.raises(WrongPassphrase):
        DeviceFile.open(tmp_path / "device", PASSPHRASE)


def test_cut_off_new_file_leaves_the_old_one_in_force(tmp_path: Path) -> None:
    made(tmp_path / "device").close()
    (tmp_path / "device.new").write_bytes(b"half a fi")  # the process died while writing
    again = DeviceFile.open(tmp_path / "device", PASSPHRASE)
    again.save()
    again.close()
    DeviceFile.open(tmp_path / "device", PASSPHRASE).close()


def test_two_processes_cannot_hold_one_device(tmp_path: Path) -> None:
    file = made(tmp_path / "device")
    with pytest.raises(DeviceFileInUse):
        DeviceFile.open(tmp_path / "device", PASSPHRASE)
    file.close()


def test_only_the_owner_may_read_the_file(tmp_path: Path) -> None:
    made(tmp_path / "device").close()
    assert stat.S_IMODE((tmp_path / "device").stat().st_mode) == 0o600


def test_each_writing_uses_a_key_of_its_own() -> None:
    key = FileKey.create(PASSPHRASE, cost=COST)
    assert key.lock(b"the same") != key.lock(b"the same")


def test_file_that_wants_too_much_memory_is_refused() -> None:
    key = FileKey(bytes(16), COST_MOST * 2, bytes(32))
    with pytest.raises(Refused) as refused:
        unlock(PASSPHRASE, key.lock(b""))
    assert refused.value.code == "bad-device-file"


async def test_no_file_beside_a_client_holds_keys_or_texts(pair: Pair, desks: Desks) -> None:
    await pair.a.send(pair.opened.thread, "a text that must stay inside")
    device = pair.a.mailbox.device
    ring = pair.a.mailbox.rings[pair.a.mailbox.principal]
    secrets = [device.signing_key.seed, device.kem_key.seed, *ring.secrets.values()]
    await pair.a.close()
    assert list(files_under(desks.file_of(HEAD_A).parent))
    for path in files_under(desks.folder):
        data = path.read_bytes()
        assert not find_in(data, ["a text that must stay inside", "A question", PASSPHRASE])
        for secret in secrets:
            assert secret not in data
            assert base64.b64encode(secret)[:40] not in data
            assert secret.hex().encode() not in data
