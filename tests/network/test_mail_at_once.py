"""Several processes send the mail that waits; each mail goes out once."""

from pathlib import Path

import pytest
from django.conf import LazySettings
from django.db import connection, transaction

from network.actions.mail import send_due_mail, write_mail
from network.models import OutgoingMail
from tests.messaging.test_parallel import together
from tests.network.mail_server import mail_server
from tests.network.test_mail import LINK, use

pytestmark = pytest.mark.django_db(transaction=True)


def everything_in_the_database() -> bytes:
    """Return every row of every table as the database itself keeps or prints it."""
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        file = Path(str(connection.settings_dict["NAME"]))
        return b"".join(path.read_bytes() for path in file.parent.glob(f"{file.name}*"))
    dump = bytearray()
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names():
            cursor.execute(f'SELECT * FROM "{table}"')
            for row in cursor.fetchall():
                dump += b"".join(
                    bytes(value) if isinstance(value, bytes | memoryview) else f" {value} ".encode()
                    for value in row
                )
    return bytes(dump)


def test_mail_is_sent_once_however_many_processes_send(settings: LazySettings) -> None:
    with mail_server() as server:
        use(settings, server.port)
        for number in range(20):
            with transaction.atomic():
                write_mail("invitation", f"new{number}@authority.example", language="en", link=LINK)
        sent = together(*[send_due_mail] * 4)
        assert sum(sent) == 20
        assert sorted(recipient for recipient, _ in server.mails) == sorted(
            f"new{number}@authority.example" for number in range(20)
        )
    assert not OutgoingMail.objects.filter(sent_at=None).exists()
