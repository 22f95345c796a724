"""Settings, read from the environment once. A missing or odd value stops the start with a sentence."""

import os
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

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


PROFILE = choice("NETWORK_PROFILE", "production", ("development", "test", "production"))
if PROFILE == "production":
    raise ImproperlyConfigured(
        "This release has no real sign-in yet, so it cannot be started for real use. "
        "Set NETWORK_PROFILE=development to try it on this machine; deploy/run does."
    )

STATE_DIR = Path(text("NETWORK_STATE_DIR", str(BASE_DIR / ".network")))
SECRET_KEY = text("NETWORK_SECRET_KEY")
if len(SECRET_KEY) < 32:
    raise ImproperlyConfigured("NETWORK_SECRET_KEY is shorter than 32 characters.")

SITE_ORIGIN = text("NETWORK_SITE_ORIGIN", "http://localhost:8000").rstrip("/")
if urlsplit(SITE_ORIGIN).scheme not in {"http", "https"} or not urlsplit(SITE_ORIGIN).hostname:
    raise ImproperlyConfigured("NETWORK_SITE_ORIGIN must be like https://network.example.")
SECURE = SITE_ORIGIN.startswith("https://")
ORIGIN_NAME = text("NETWORK_ORIGIN_NAME", "network.example/s1")  # `net` in everything that is signed
SERVER_KEY_FILE = Path(text("NETWORK_SERVER_KEY_FILE", str(STATE_DIR / "server.key")))

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
    "network",
    "messaging",
    "forum",
]

MIDDLEWARE = [
    "network.middleware.security_headers",
    "network.middleware.one_address",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "network.middleware.actor_of_request",
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
            ]
        },
    }
]

DATABASES = {"default": database(text("NETWORK_DATABASE_URL", f"sqlite:///{STATE_DIR / 'network.sqlite3'}"))}
REDIS_URL = text("NETWORK_REDIS_URL", "")
CHANNEL_LAYERS: dict[str, dict[str, object]] = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": [REDIS_URL], "prefix": "network", "symmetric_encryption_keys": [SECRET_KEY]},
    }
    if REDIS_URL
    else {"BACKEND": "channels.layers.InMemoryChannelLayer"}
}

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
USE_TZ = True
TIME_ZONE = "UTC"

STATIC_URL = "/static/"
STATIC_ROOT = STATE_DIR / "static"
STORAGES = {"staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"}}

SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Strict"
SESSION_COOKIE_AGE = 12 * 60 * 60
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE
SESSION_COOKIE_NAME = "__Host-session" if SECURE else "session"
CSRF_COOKIE_SAMESITE = "Strict"
CSRF_FAILURE_VIEW = "network.views.csrf_failure"
LANGUAGE_COOKIE_SAMESITE = "Strict"
# Not "no-referrer": with it a browser sends forms with the origin "null", which the forgery check refuses.
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CONTENT_TYPE_NOSNIFF = True
DATA_UPLOAD_MAX_MEMORY_SIZE = 512 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 50

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    "loggers": {"network": {"level": "INFO"}, "messaging": {"level": "INFO"}},
}
