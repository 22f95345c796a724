"""Where mail goes while no mail server is set: one file a mail, in the state folder, for this machine only.

Only the development and test profiles use it; the page that shows the files does not exist elsewhere.
"""

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes
from email.policy import default as current_policy
from pathlib import Path

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend

SHOWN = 50


@dataclass(frozen=True)
class WrittenMail:
    """A mail in the outbox, as the page shows it."""

    to: str
    subject: str
    at: datetime | None
    lines: list[str]


def _folder() -> Path:
    return settings.STATE_DIR / "outbox"


class FileBackend(BaseEmailBackend):
    """Writes each mail to a file with mode 0600; a half-written one is never seen."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        """Write the mails and return how many they are."""
        folder = _folder()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for message in email_messages:
            name = f"{time.time_ns():020}-{os.getpid()}"
            unfinished = folder / f"{name}.part"
            descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as opened:
                opened.write(message.message().as_bytes())
            unfinished.rename(folder / f"{name}.eml")
        return len(email_messages)


def list_mails() -> list[WrittenMail]:
    """Return the newest mails of the outbox, newest first."""
    files = sorted(_folder().glob("*.eml"), reverse=True)[:SHOWN]
    return [_read(file) for file in files]


def _read(file: Path) -> WrittenMail:
    mail = message_from_bytes(file.read_bytes(), policy=current_policy)
    body = mail.get_body(("plain",))
    date = mail["date"]
    return WrittenMail(
        to=str(mail["to"]),
        subject=str(mail["subject"]),
        at=_moment(date.datetime) if date else None,
        lines=body.get_content().splitlines() if body else [],
    )


def _moment(at: datetime) -> datetime:
    """Return a moment with its zone: a date "-0000" of a mail is read without one, and is UTC."""
    return at if at.tzinfo else at.replace(tzinfo=UTC)
