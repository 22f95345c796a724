"""Settings, read from the environment once. A missing or odd value stops the start with a sentence."""

import os
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

from network.addresses import parse_address
from network.errors import Invalid
from network.project.production import Chosen, weaknesses
from network.push_services import Service

BASE_DIR = Path(__file__).resolve().parent.parent.parent


def text(name: str, default: str | None = None) -> str:
    """Return NAME, or the content of the file NAME_FILE, or the default; refuses to go on without any."""
    if file := os.environ.get(f"{name}_FILE"):
        try:
            return Path(file).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise ImproperlyConfigured(f"{name}_FILE={file} cannot be read: {error.strerror}.") from error
    value = os.environ.get(name, default)
    if value is None:
        raise ImproperlyConfigured(f"Set {name} or {name}_FILE; deploy/run does it for you.")
    return value


def choice(name: str, default: str, allowed: tuple[str, ...]) -> str:
    """Return NAME if it is one of the allowed values."""
    value = text(name, default)
    if value not in allowed:
        raise ImproperlyConfigured(f"{name} is {value!r}; it must be one of: {', '.join(allowed)}.")
    return value


def networks(name: str) -> tuple[IPv4Network | IPv6Network, ...]:
    """Return NAME as a list of addresses and networks, comma-separated."""
    try:
        return tuple(ip_network(part.strip()) for part in filter(None, text(name, "").split(",")))
    except ValueError as error:
        raise ImproperlyConfigured(f"{name}: {error}. Give addresses like 10.0.0.5,10.1.0.0/16.") from error


def push_services(name: str, default: str) -> tuple[Service, ...]:
    """Return NAME as a list of push services, comma-separated."""
    try:
        return tuple(Service.read(part.strip()) for part in filter(None, text(name, default).split(",")))
    except ValueError as error:
        raise ImproperlyConfigured(f"{name}: {error}. Give hosts like push.example,*.x.example.") from error


def number(name: str, default: int) -> int:
    """Return NAME as a whole number above zero."""
    value = text(name, str(default))
    if not value.isdecimal() or not int(value):
        raise ImproperlyConfigured(f"{name} is {value!r}; it must be a whole number above zero.")
    return int(value)


def database(url: str) -> dict[str, object]:
    """Return Django's database settings for sqlite:///path or postgresql://user:password@host:port/name."""
    parts = urlsplit(url)
    if parts.scheme == "sqlite":
        # FULL: an acknowledged message must survive a power cut. IMMEDIATE: writers queue instead of failing.
        pragmas = "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA secure_delete=ON;"
        options = {"transaction_mode": "IMMEDIATE", "timeout": 20, "init_command": pragmas}
        name = parts.path if parts.path.startswith("//") else str(BASE_DIR / parts.path.lstrip("/"))
        if parts.path.startswith("//"):
            name = parts.path[1:]
        return {"ENGINE": "django.db.backends.sqlite3", "NAME": name, "OPTIONS": options}
    if parts.scheme not in {"postgresql", "postgres"}:
        raise ImproperlyConfigured("NETWORK_DATABASE_URL must begin with sqlite:/// or postgresql://.")
    options = {**dict(parse_qsl(parts.query)), "pool": {"min_size": 1, "max_size": 12}}
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.path.lstrip("/"),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": parts.hostname or "",
        "PORT": str(parts.port or ""),
        "OPTIONS": options,
    }


class Bucket(NamedTuple):
    """Where an S3-compatible store is and who asks."""

    origin: str
    bucket: str
    region: str
    key: str
    secret: str


class MailServer(NamedTuple):
    """Where mail is handed over, in Django's words."""

    host: str
    port: int
    user: str
    password: str
    use_tls: bool  # begins in plain text, then must become TLS
    use_ssl: bool


def mail_server(url: str, password: str) -> MailServer:
    """Return what smtp://, smtp+starttls:// or smtps://user:password@host:port says."""
    ports = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}
    parts = urlsplit(url)
    if (
        parts.scheme not in ports
        or not parts.hostname
        or parts.path.strip("/")
        or parts.query
        or parts.fragment
    ):
        raise ImproperlyConfigured(
            "NETWORK_MAIL_URL must be like smtps://user:password@mail.example:465; "
            "smtp+starttls:// and smtp:// are known too."
        )
    try:
        port = parts.port or ports[parts.scheme]
    except ValueError as error:
        raise ImproperlyConfigured("The port in NETWORK_MAIL_URL is not a number up to 65535.") from error
    user, password = unquote(parts.username or ""), unquote(parts.password or "") or password
    if bool(user) != bool(password):
        raise ImproperlyConfigured("NETWORK_MAIL_URL names a user without password, or the other way round.")
    if user and parts.scheme == "smtp" and parts.hostname not in {"localhost", "127.0.0.1", "::1"}:
        raise ImproperlyConfigured(
            "NETWORK_MAIL_URL would send a password in plain text: smtps:// it must be."
        )
    is_tls = {name: parts.scheme == name for name in ports}
    return MailServer(parts.hostname, port, user, password, is_tls["smtp+starttls"], is_tls["smtps"])


def mail_sender(address: str) -> str:
    """Return the address mail comes from, if it is one."""
    try:
        return parse_address(address)
    except Invalid as error:
        raise ImproperlyConfigured("NETWORK_MAIL_FROM must be one plain mail address.") from error


def object_store(url: str, key: str, secret: str) -> Bucket | None:
    """Return what s3+https://host[:port]/bucket?region=NAME says; None for the disk of this machine."""
    if not url:
        return None
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query))
    bucket = parts.path.strip("/")
    is_plain = parts.scheme == "s3+http" and parts.hostname in {"localhost", "127.0.0.1", "::1"}
    is_whole = bool(parts.hostname and bucket and "/" not in bucket) and query.keys() <= {"region"}
    if not (parts.scheme == "s3+https" or is_plain) or not is_whole or parts.username:
        raise ImproperlyConfigured(
            "NETWORK_CHUNKS_URL must be like s3+https://store.example/bucket?region=eu-west-1."
        )
    if not key or not secret:
        raise ImproperlyConfigured("NETWORK_CHUNKS_URL needs NETWORK_CHUNKS_KEY and NETWORK_CHUNKS_SECRET.")
    origin = f"{parts.scheme.removeprefix('s3+')}://{parts.netloc}"
    return Bucket(origin, bucket, query.get("region", "us-east-1"), key, secret)


PROFILE = choice("NETWORK_PROFILE", "production", ("development", "test", "production"))
STATE_DIR = Path(text("NETWORK_STATE_DIR", str(BASE_DIR / ".network")))
SECRET_KEY = text("NETWORK_SECRET_KEY")
if len(SECRET_KEY) < 32:
    raise ImproperlyConfigured("NETWORK_SECRET_KEY is shorter than 32 characters.")

SITE_ORIGIN = text("NETWORK_SITE_ORIGIN", "http://localhost:8000").rstrip("/")
if urlsplit(SITE_ORIGIN).scheme not in {"http", "https"} or not urlsplit(SITE_ORIGIN).hostname:
    raise ImproperlyConfigured("NETWORK_SITE_ORIGIN must be like https://network.example.")
SECURE = SITE_ORIGIN.startswith("https://")
ORIGIN_NAME = text("NETWORK_ORIGIN_NAME", "network.example/s1")  # `net` in everything that is signed
if not ORIGIN_NAME:
    raise ImproperlyConfigured("NETWORK_ORIGIN_NAME is empty: what is signed names the network.")
SERVER_KEY_FILE = Path(text("NETWORK_SERVER_KEY_FILE", str(STATE_DIR / "server.key")))
# How far the log of keys was ever signed: beside the server's key, never put back with the database.
LOG_MARK_FILE: Path | None = Path(text("NETWORK_LOG_MARK_FILE", str(STATE_DIR / "log.mark")))
# Who watches that log, a word each, and how many of them a client asks for before it seals.
LOG_WITNESSES = text("NETWORK_LOG_WITNESSES", "").split()
LOG_QUORUM = number("NETWORK_LOG_QUORUM", 1) if LOG_WITNESSES else 0
# How old what they signed may be for urgent messages, which are marked then; for all others a day.
LOG_URGENT_HOURS = number("NETWORK_LOG_URGENT_HOURS", 24)
if not 24 <= LOG_URGENT_HOURS <= 72:
    raise ImproperlyConfigured("NETWORK_LOG_URGENT_HOURS must be from 24 to 72: no client goes further.")
# Encrypts mail addresses and factor secrets; outside the database and whatever is backed up with it.
FIELD_KEY_FILE = Path(text("NETWORK_FIELD_KEY_FILE", str(STATE_DIR / "field.key")))
# By it push services know this network: the browsers that asked to be woken are bound to it.
PUSH_KEY_FILE = Path(text("NETWORK_PUSH_KEY_FILE", str(STATE_DIR / "push.key")))
# The only hosts that are asked to wake a browser; `*.` stands for everything below, empty for nobody.
PUSH_SERVICES = push_services(
    "NETWORK_PUSH_HOSTS",
    "fcm.googleapis.com,updates.push.services.mozilla.com,web.push.apple.com,*.notify.windows.com",
)
# The front proxies: only from them is X-Forwarded-For believed.
TRUSTED_PROXIES = networks("NETWORK_TRUSTED_PROXIES")

DEBUG = False
ALLOWED_HOSTS = [str(urlsplit(SITE_ORIGIN).hostname)]
if ALLOWED_HOSTS == ["localhost"]:
    ALLOWED_HOSTS.append("127.0.0.1")  # led on to the one address: `network.middleware.one_address`
CSRF_TRUSTED_ORIGINS = [SITE_ORIGIN]
ROOT_URLCONF = "network.project.urls"
ASGI_APPLICATION = "network.project.asgi.application"
AUTH_USER_MODEL = "network.Person"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "daphne",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "network",
    "messaging",
    "forum",
]

MIDDLEWARE = [
    "network.middleware.security_headers",
    "network.middleware.one_address",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    # Below the static files, which lie there compressed. Lengths of compressed pages betray no secret
    # (BREACH): other sites cannot ask in somebody's name (SameSite=Strict), tokens against forged forms are
    # masked anew in every page, no page repeats what was asked beside another secret, and up to 100 random
    # bytes are added.
    "django.middleware.gzip.GZipMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "allauth.account.middleware.AccountMiddleware",  # the library asks for it; none of its routes exists
    "network.middleware.actor_of_request",
    "network.middleware.language_of_reader",
    "network.middleware.refusal_as_page",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "network.context.page_context",
                "network.help.context.help_context",
                "network.project.navigation.navigation",
            ]
        },
    }
]

DATABASES = {"default": database(text("NETWORK_DATABASE_URL", f"sqlite:///{STATE_DIR / 'network.sqlite3'}"))}
# Sealed chunks of files: in a folder, or in an S3-compatible store, which several machines share.
CHUNK_DIR = Path(text("NETWORK_CHUNK_DIR", str(STATE_DIR / "chunks")))
OBJECT_STORE = object_store(
    text("NETWORK_CHUNKS_URL", ""), text("NETWORK_CHUNKS_KEY", ""), text("NETWORK_CHUNKS_SECRET", "")
)
ATTACHMENT_BYTES = number("NETWORK_ATTACHMENT_GIB", 100) * 2**30  # of one authority
REPORT_DAYS = number("NETWORK_REPORT_DAYS", 365)  # what a report disclosed is kept after it was closed
REDIS_URL = text("NETWORK_REDIS_URL", "")
# How many server processes this deployment has. More than one must count and ring together.
PROCESSES = number("NETWORK_PROCESSES", 1)
if PROCESSES > 1 and not REDIS_URL:
    raise ImproperlyConfigured("NETWORK_PROCESSES is more than 1: set NETWORK_REDIS_URL, which they share.")
CHANNEL_LAYERS: dict[str, dict[str, object]] = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": [REDIS_URL], "prefix": "network", "symmetric_encryption_keys": [SECRET_KEY]},
    }
    if REDIS_URL
    else {"BACKEND": "channels.layers.InMemoryChannelLayer"}
}
# What all processes count together (`network.limits`), and codes that were used (the library of factors).
CACHES: dict[str, dict[str, object]] = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "network",
        # A cache that hangs must not hold up who signs in for longer than this.
        "OPTIONS": {"socket_connect_timeout": 2, "socket_timeout": 2},
    }
    if REDIS_URL
    else {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
}

# The library keeps and checks factors; when and for what they are asked is the product's own (`factors`).
MFA_ADAPTER = "network.factors.FactorAdapter"
MFA_SUPPORTED_TYPES = ["webauthn", "totp", "recovery_codes"]
MFA_WEBAUTHN_USER_VERIFICATION = "required"
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not SECURE  # http://localhost only; the origin is compared besides
MFA_RECOVERY_CODE_DIGITS = 16
MFA_TOTP_ISSUER = "Network of Central Authorities"
ACCOUNT_ADAPTER = "allauth.account.adapter.DefaultAccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_USER_MODEL_EMAIL_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]

# Mail: to a server, or to files in the state folder (`network.outbox`) where the product is tried out.
MAIL_URL = text("NETWORK_MAIL_URL", "")
DEFAULT_FROM_EMAIL = mail_sender(text("NETWORK_MAIL_FROM", "network@network.example"))
EMAIL_BACKEND = "network.outbox.FileBackend"
EMAIL_TIMEOUT = 20
if MAIL_URL:
    EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    _mail = mail_server(MAIL_URL, text("NETWORK_MAIL_PASSWORD", ""))
    EMAIL_HOST, EMAIL_PORT, EMAIL_HOST_USER, EMAIL_HOST_PASSWORD, EMAIL_USE_TLS, EMAIL_USE_SSL = _mail
    DEFAULT_FROM_EMAIL = mail_sender(text("NETWORK_MAIL_FROM"))

LANGUAGE_CODE = "en"
# In the order of the United Nations: the English alphabet.
LANGUAGES = [
    ("ar", _("Arabic")),
    ("zh-hans", _("Chinese")),
    ("en", _("English")),
    ("fr", _("French")),
    ("ru", _("Russian")),
    ("es", _("Spanish")),
]
LOCALE_PATHS = [BASE_DIR / "network" / "locale"]
FORMAT_MODULE_PATH = "network.project.formats"
USE_TZ = True
TIME_ZONE = "UTC"

STATIC_URL = "/static/"
STATIC_ROOT = STATE_DIR / "static"
WHITENOISE_ALLOW_ALL_ORIGINS = False  # no other site has a use for these files
STORAGES = {"staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"}}

# A cookie called __Host-… is taken by browsers only with Secure, path / and no domain: nobody beside or above
# this host can set it. Scripts need none of them: pages carry the token against forged forms.
_PREFIX = "__Host-" if SECURE else ""
SESSION_ENGINE = "django.contrib.sessions.backends.db"
SESSION_COOKIE_NAME = f"{_PREFIX}session"
CSRF_COOKIE_NAME = f"{_PREFIX}csrftoken"
LANGUAGE_COOKIE_NAME = f"{_PREFIX}language"
APPEARANCE_COOKIE_NAME = f"{_PREFIX}appearance"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = SECURE
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = LANGUAGE_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = LANGUAGE_COOKIE_SAMESITE = "Strict"
SESSION_COOKIE_AGE = CSRF_COOKIE_AGE = 12 * 60 * 60
LANGUAGE_COOKIE_AGE = 365 * 24 * 60 * 60
CSRF_FAILURE_VIEW = "network.views.errors.csrf_failure"
# Not "no-referrer": with it a browser sends forms with the origin "null", which the forgery check refuses.
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CONTENT_TYPE_NOSNIFF = True
DATA_UPLOAD_MAX_MEMORY_SIZE = 512 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 200  # whom one attests at once, or which functions an authority has

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"()": "network.project.logs.OneLine"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    "loggers": {
        "network": {"level": "INFO"},
        "messaging": {"level": "INFO"},
        # Django gives these handlers of its own, whose lines quote what was sent.
        "django": {"handlers": [], "propagate": True},
        "django.server": {"handlers": [], "propagate": True},
    },
}

if PROFILE == "production":
    chosen = Chosen(
        secret=SECRET_KEY,
        origin=SITE_ORIGIN,
        name=ORIGIN_NAME,
        is_sqlite=DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3",
        processes=PROCESSES,
        redis_url=REDIS_URL,
        mail_url=MAIL_URL,
        proxies=TRUSTED_PROXIES,
        push_services=PUSH_SERVICES,
        environment=os.environ,
    )
    if found := list(weaknesses(chosen)):
        raise ImproperlyConfigured("This cannot be started for real use:\n  " + "\n  ".join(found))
