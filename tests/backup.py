"""What an operator keeps of a server's database, and puts back after a fault."""

import shutil
import uuid
from urllib.parse import urlsplit

from tests.server import Server, beside, create_database


class Backup:
    """What the database held once; it is put back while the server stands still."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.url = server.environment["NETWORK_DATABASE_URL"]
        self.name = f"backup_{uuid.uuid4().hex}"
        if not self._is_file:
            self._copy_to(self.name)
            return
        self.folder = server.state.parent / self.name
        self.folder.mkdir()
        for file in server.state.glob("network.sqlite3*"):
            shutil.copy(file, self.folder)

    @property
    def _is_file(self) -> bool:
        return self.url.startswith("sqlite")

    def _copy_to(self, name: str) -> None:
        create_database(beside(self.url, "postgres"), name, template=urlsplit(self.url).path.lstrip("/"))

    def put_back(self) -> None:
        """Forget everything since."""
        if not self._is_file:
            self.server.environment["NETWORK_DATABASE_URL"] = beside(self.url, self.name)
            return
        for file in self.server.state.glob("network.sqlite3*"):
            file.unlink()
        for file in self.folder.iterdir():
            shutil.copy(file, self.server.state)
