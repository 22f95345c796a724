"""A mail server that takes what it is given, or refuses it, as real ones do."""

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class MailServer:
    """Speaks as much SMTP (RFC 5321) as Python's client needs; keeps what it took."""

    port: int = 0
    refuses: str = ""  # an address that it does not take mail for
    mails: list[tuple[str, str]] = field(default_factory=list)  # (recipient, the whole mail)


class _Conversation(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        kept: MailServer = self.server.kept  # type: ignore[attr-defined]
        recipient = ""
        self.say("220 ready")
        while line := self.rfile.readline().decode().strip():
            match line.split(" ")[0].upper(), line:
                case "RCPT", _ if kept.refuses and kept.refuses in line:
                    self.say("550 no such person here")
                case "RCPT", _:
                    recipient = line.partition("<")[2].partition(">")[0]
                    self.say("250 ok")
                case "DATA", _:
                    self.say("354 go on")
                    text = b"".join(iter(self.rfile.readline, b".\r\n")).decode()
                    kept.mails.append((recipient, text))
                    self.say("250 taken")
                case "QUIT", _:
                    self.say("221 bye")
                    return
                case _:
                    self.say("250 ok")

    def say(self, text: str) -> None:
        self.wfile.write(text.encode() + b"\r\n")


@contextmanager
def mail_server(*, port: int = 0, refuses: str = "") -> Iterator[MailServer]:
    """Run a mail server on this machine; with `port` 0 on any that is free."""
    socketserver.ThreadingTCPServer.allow_reuse_address = True
    with socketserver.ThreadingTCPServer(("127.0.0.1", port), _Conversation) as server:
        server.daemon_threads = True
        kept = MailServer(port=server.server_address[1], refuses=refuses)
        server.kept = kept  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield kept
        finally:
            server.shutdown()
