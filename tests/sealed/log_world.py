"""A log kept honestly in memory, as a client of it sees it: for tests and vectors."""

from messaging.sealed.checkpoint import Signer, cosign, make_checkpoint, split_note
from messaging.sealed.follower import Follower, load_follower
from messaging.sealed.keys import SigningKey
from messaging.sealed.transparency import FullTree, Leaf, leaf_hash, log_label
from tests.sealed.world import NET, START, Party, seed

LABELS = seed("label key")
WITNESSES = {
    name: (Signer(name, SigningKey(seed(name)).public), SigningKey(seed(name)))
    for name in ("north.example", "south.example")
}


class LogServer:
    """Leaves, and the whole tree over them."""

    def __init__(self, key: SigningKey) -> None:
        self.key = key
        self.leaves: list[bytes] = []
        self.tree = FullTree()

    def append(self, leaf: Leaf) -> None:
        self.leaves.append(leaf.encode())
        self.tree.append(leaf_hash(self.leaves[-1]))

    def log_party(self, party: Party, *, first: int = 0, last: int | None = None) -> None:
        """The keyring entries of a party, up to ``last``."""
        for link in party.links[first : None if last is None else last + 1]:
            self.append(keyring_leaf(party, link.state.n, link.state.head))

    def note(self, size: int | None = None, *, at: int = START, witnesses: tuple[str, ...] = ()) -> str:
        """The checkpoint at this size, cosigned by these."""
        size = self.tree.size if size is None else size
        root = self.tree.at(size).root
        note = make_checkpoint(NET, self.key, size=size, root=root, at=at)
        body = split_note(note)[0]
        return note + "".join(cosign(body, *WITNESSES[name], at=at) for name in witnesses)

    def follower(self, *, witnesses: tuple[str, ...] = (), quorum: int = 0) -> Follower:
        """A device that knows nothing yet."""
        known = [WITNESSES[name][0] for name in witnesses]
        return load_follower(NET, self.key.public, LABELS, None, witnesses=known, quorum=quorum)

    def followed(self, size: int | None = None, *, at: int = START) -> Follower:
        """A device that has followed to this size."""
        found = self.follower()
        found.follow(self.note(size, at=at), self.leaves[:size], now=at)
        return found


def keyring_leaf(party: Party, n: int, head: bytes) -> Leaf:
    return Leaf("keyring", log_label(LABELS, "keyring", party.principal), n, head)
