"""Which push services may be asked: names that the operator lists. No Django: settings read it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Service:
    """A push service that may be asked; `host` with `*.` before it stands for everything below."""

    host: str
    port: int

    @classmethod
    def read(cls, text: str) -> "Service":
        """Return `host`, `*.host` or `host:port` as a service; raises ValueError."""
        host, _, port = text.partition(":")
        parts = host.removeprefix("*.").split(".")
        if not all(part.replace("-", "").isalnum() and part.isascii() for part in parts):
            raise ValueError(f"{text!r} is not the name of a push service")
        return cls(host.lower(), int(port or "443"))

    def has(self, host: str, port: int) -> bool:
        """Answer whether this address is one of the service."""
        if self.host.startswith("*."):
            return port == self.port and host.endswith(self.host[1:])
        return (host, port) == (self.host, self.port)
