"""The server runner: Daphne with limits, back-pressure and a clean stop.

Plain Daphne drops work in flight on SIGTERM and buffers without end for a reader that does not read.
"""

import asyncio
import logging
import os
import signal
import threading
import time
from typing import Any, cast

from daphne.endpoints import build_endpoint_description_strings
from daphne.server import Server
from daphne.ws_protocol import WebSocketProtocol
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from twisted.internet import reactor as installed_reactor

from network.limits import SOCKET_FRAME_BYTES
from network.protocol import CLOSE_COME_BACK

logger = logging.getLogger(__name__)

reactor = cast(Any, installed_reactor)  # a module that Twisted replaces with an object at import

DRAIN_SECONDS = 10.0
DUE_AFTER_START_SECONDS = 60.0
DUE_SECONDS = 3600.0
MAIL_SECONDS = 5.0
TELL_SECONDS = 5.0


class Pressure:
    """Twisted's push producer of one socket: says whether its peer takes what is sent."""

    def __init__(self) -> None:
        self.is_writable = asyncio.Event()
        self.is_writable.set()

    def pauseProducing(self) -> None:  # noqa: N802  (the interface of Twisted)
        """The buffer to the peer is full."""
        self.is_writable.clear()

    def resumeProducing(self) -> None:  # noqa: N802
        """The peer has taken what was buffered."""
        self.is_writable.set()

    def stopProducing(self) -> None:  # noqa: N802
        """The peer is gone; whoever waits is let go."""
        self.is_writable.set()


class GracefulServer(Server):  # type: ignore[misc]
    """Daphne's server that waits for slow readers and, asked to stop, finishes what it has begun."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._ports: list[Any] = []
        self._stopping_since: float | None = None

    def listen_success(self, port: Any) -> None:
        """Remember the listening port, to close it first when stopping."""
        self._ports.append(port)
        super().listen_success(port)

    async def handle_reply(self, protocol: Any, message: dict[str, Any]) -> None:
        """Send one message of the application, once the peer has taken the earlier ones."""
        if isinstance(protocol, WebSocketProtocol) and message["type"] == "websocket.send":
            await self._pressure_of(protocol).is_writable.wait()
            if (
                protocol.state != WebSocketProtocol.STATE_OPEN
            ):  # one side said goodbye; the application hears of it
                return
        await super().handle_reply(protocol, message)

    def _pressure_of(self, protocol: Any) -> Pressure:
        if not hasattr(protocol, "pressure"):
            protocol.pressure = Pressure()
            protocol.transport.unregisterProducer()
            protocol.transport.registerProducer(protocol.pressure, True)
        pressure: Pressure = protocol.pressure
        return pressure

    def kill_all_applications(self) -> Any:
        """Daphne 4.2 raises KeyError for idle keep-alive connections: forget those first."""
        for protocol in [p for p, found in self.connections.items() if "application_instance" not in found]:
            del self.connections[protocol]
        return super().kill_all_applications()

    def begin_stop(self) -> None:
        """Stop accepting, tell sockets to come back, let running requests finish; a second call ends now."""
        if self._stopping_since is not None:
            os._exit(1)
        self._stopping_since = time.monotonic()
        for port in self._ports:
            port.stopListening()
        for protocol in list(self.connections):
            if not isinstance(protocol, WebSocketProtocol):
                continue
            if (
                protocol.state == WebSocketProtocol.STATE_CONNECTING
            ):  # no code can be told before the handshake
                protocol.dropConnection(abort=True)
            else:
                protocol.serverClose(code=CLOSE_COME_BACK)
        reactor.callLater(0.1, self._stop_when_idle)

    def _stop_when_idle(self) -> None:
        running = [
            found["application_instance"]
            for protocol, found in self.connections.items()
            if not isinstance(protocol, WebSocketProtocol) and "application_instance" in found
        ]
        waited = time.monotonic() - (self._stopping_since or 0)
        if waited > DRAIN_SECONDS or all(application.done() for application in running):
            reactor.stop()
            return
        reactor.callLater(0.25, self._stop_when_idle)


def _close_with_codes(server: GracefulServer) -> None:
    """Let the WebSocket library say why it closes (1002, 1007, 1009) instead of dropping the line."""
    server.ws_factory.setProtocolOptions(failByDrop=False)


def _stop_on_signals(server: GracefulServer) -> None:
    loop = asyncio.get_event_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, server.begin_stop)


def _send_mail_for_ever() -> None:
    """Record failed sign-ins and send what waits, every few seconds or as soon as mail was written."""
    from django.db import connections

    from network.actions.failed_sign_ins import record_failed_sign_ins
    from network.actions.mail import mail_waits, send_due_mail

    while True:
        mail_waits.wait(MAIL_SECONDS)
        mail_waits.clear()
        try:
            record_failed_sign_ins()
            send_due_mail()
        except Exception as error:  # noqa: BLE001 - whatever it was, the mail is kept and tried again
            logger.warning("mail or failed sign-ins wait: %s", type(error).__name__)
            connections.close_all()  # the database may have gone and come back


def _do_what_is_due_for_ever() -> None:
    """Do what is due by the clock, every hour; several processes may do this at once."""
    from django.db import connections

    from network.actions.due import do_what_is_due

    time.sleep(DUE_AFTER_START_SECONDS)
    while True:
        try:
            do_what_is_due()
        except Exception as error:  # noqa: BLE001 - whatever it was, the next hour tries again
            logger.warning("what is due waits: %s", type(error).__name__)
        connections.close_all()
        time.sleep(DUE_SECONDS)


def _tell_for_ever() -> None:
    """Write mail and wake browsers for what nobody looked at, every few seconds; nothing stops it."""
    from django.db import connections

    from network.actions.due import tell_what_is_due

    while True:
        time.sleep(TELL_SECONDS)
        try:
            tell_what_is_due()
        except Exception as error:  # noqa: BLE001 - whatever it was, the next round finds it again
            logger.warning("what is to be told waits: %s", type(error).__name__)
            connections.close_all()


def refuse_demonstration() -> None:
    """Raise `ImproperlyConfigured` where real use would go on in the database of a demonstration.

    Its persons are invented, and the passkeys of its helpers lie in files beside it.
    """
    from network.models import AuditEntry

    if settings.PROFILE == "production" and AuditEntry.objects.filter(act="demo:load").exists():
        raise ImproperlyConfigured(
            "This database holds the demonstration, whose persons can sign in. Begin with an empty one."
        )


def serve(host: str, port: int) -> None:
    """Serve until SIGTERM or SIGINT, then end the process."""
    from messaging.actions.log import log_bundle, start_log
    from messaging.bundle import manifest_hash
    from messaging.log_key import watch
    from messaging.server_key import server_key
    from network.field_encryption import seal_field
    from network.project.asgi import application
    from network.push import public_key

    # Without these nothing could be acknowledged, nobody found: refuse to start, with what to do.
    server_key()
    watch()
    seal_field("start", "")
    public_key()
    refuse_demonstration()
    start_log()
    log_bundle(manifest_hash())
    server = GracefulServer(
        application=application,
        endpoints=build_endpoint_description_strings(host=host, port=port),
        signal_handlers=False,
        server_name="",
        websocket_timeout=-1,
        ping_interval=25,
        ping_timeout=30,
        websocket_max_message_size=SOCKET_FRAME_BYTES,
        websocket_max_frame_size=SOCKET_FRAME_BYTES,
    )
    reactor.callWhenRunning(_stop_on_signals, server)
    reactor.callWhenRunning(_close_with_codes, server)
    threading.Thread(target=_send_mail_for_ever, name="mail", daemon=True).start()
    threading.Thread(target=_do_what_is_due_for_ever, name="due", daemon=True).start()
    threading.Thread(target=_tell_for_ever, name="tell", daemon=True).start()
    server.run()
    logging.shutdown()
    os._exit(0)  # threads of libraries must not keep a stopped server alive
