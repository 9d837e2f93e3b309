"""Django's settings for the clinic: one function, called once per process before Django is set up."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import allauth
import django
import django_htmx
from django.apps import apps
from django.conf import settings
from django.utils.translation import gettext_lazy as _

PACKAGE = Path(__file__).parent
_HTMX = Path(django_htmx.__file__).parent / "static" / "django_htmx"
_ALLAUTH = Path(allauth.__file__).parent
_WEBAUTHN = _ALLAUTH / "mfa" / "static" / "mfa" / "js"

STATIC_FILES = {
    "clinic.css": PACKAGE / "static" / "equipoise" / "clinic.css",
    "clinic.js": PACKAGE / "static" / "equipoise" / "clinic.js",
    "htmx.js": _HTMX / "htmx-2.min.js",
    "icon.svg": PACKAGE / "static" / "equipoise" / "icon.svg",
    # Under the names by which allauth's templates ask for them.
    "account/js/onload.js": _ALLAUTH / "account" / "static" / "account" / "js" / "onload.js",
    "mfa/js/recovery_codes.js": _WEBAUTHN / "recovery_codes.js",
    "mfa/js/webauthn-json.js": _WEBAUTHN / "webauthn-json.js",
    "mfa/js/webauthn.js": _WEBAUTHN / "webauthn.js",
}
"""All that a page loads besides itself, by the name under which it is served."""

IDLE_SECONDS = 20 * 60
SESSION_SECONDS = 12 * 60 * 60
LANGUAGE_SECONDS = 365 * 24 * 60 * 60
PASSWORD_DAYS_MAX = 365
POST_BYTES_MAX = 1024 * 1024
UPLOAD_BYTES_MAX = {"/do/receive-scan/": 512 * 1024 * 1024}
"""Where more may be sent, because a file comes with the form: by its address, and nowhere else."""
FIELDS_MAX = 1000

LANGUAGES = [("en", _("English")), ("sv", _("Swedish")), ("it", _("Italian"))]


def static_url() -> str:
    """Return the address of the static files, which names their content: they may be kept for ever."""
    digest = sha256(b"".join(path.read_bytes() for path in STATIC_FILES.values())).hexdigest()[:12]
    return f"/static/{digest}/"


def set_up_clinic(
    *,
    secret_key: str,
    hosts: tuple[str, ...] = ("localhost", "127.0.0.1"),
    https: bool = False,
    cookies: str = "clinic",
) -> None:
    """Configure Django for the clinic; does nothing in a process where that is done.

    The names of its cookies begin with `cookies`: a browser keeps those of all ports of a host together.
    """
    if not settings.configured:
        settings.configure(
            SECRET_KEY=secret_key,
            ALLOWED_HOSTS=list(hosts),
            CSRF_TRUSTED_ORIGINS=[f"https://{host}" for host in hosts] if https else [],
            DEBUG=False,
            ROOT_URLCONF="equipoise.web.urls",
            DATABASES={"default": {"ENGINE": "django.db.backends.dummy"}},
            DATABASE_ROUTERS=["equipoise.web.clinic.Router"],
            INSTALLED_APPS=_APPS,
            MIDDLEWARE=_MIDDLEWARE,
            TEMPLATES=[_TEMPLATES],
            LOGGING=_LOGGING,
            USE_TZ=True,
            TIME_ZONE="UTC",
            DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
            STATIC_URL=static_url(),
            **_LANGUAGE,
            **_ACCOUNTS,
            SESSION_COOKIE_NAME=f"{cookies}_session",
            CSRF_COOKIE_NAME=f"{cookies}_csrf",
            **_secure(https),
        )
    if not apps.ready:
        django.setup()


_APPS = [
    "equipoise.store.apps.StoreConfig",
    "equipoise.store.vault_app.apps.VaultConfig",
    "equipoise.store.identities_app.apps.IdentitiesConfig",
    "equipoise.web.apps.WebConfig",
    "equipoise.web.accounts.apps.AccountsConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.humanize",
    "django_htmx",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
]

_MIDDLEWARE = [
    "equipoise.web.middleware.ShieldMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "equipoise.web.middleware.SessionEndMiddleware",
    # Every page needs a login unless it says otherwise.
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "equipoise.web.middleware.MethodMiddleware",
    "equipoise.web.middleware.FirstStepsMiddleware",
    "equipoise.web.scans.upload.ScanUploadMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "allauth.usersessions.middleware.UserSessionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]

_LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    # What Django says of a request has its address, in which there are codes, and what an error says, in
    # which there may be values. The clinic has a line of its own for each.
    "loggers": {
        "django": {"level": "CRITICAL", "handlers": []},
        "django.server": {"level": "CRITICAL", "handlers": []},
    },
}

_TEMPLATES = {
    "BACKEND": "django.template.backends.django.DjangoTemplates",
    "DIRS": [PACKAGE / "templates"],
    "APP_DIRS": True,
    "OPTIONS": {
        "builtins": [
            "django.templatetags.i18n",
            "django.templatetags.l10n",
            "equipoise.web.templatetags.clinic",
        ],
        "context_processors": [
            "django.template.context_processors.request",
            "django.contrib.auth.context_processors.auth",
            "django.contrib.messages.context_processors.messages",
            "equipoise.web.frame.frame",
        ],
        # A template that names what is not there is a defect, and shows itself in every test.
        "string_if_invalid": "",
    },
}

_LANGUAGE = {
    "LANGUAGE_CODE": "en",
    "LANGUAGES": LANGUAGES,
    "LOCALE_PATHS": [PACKAGE / "locale"],
    "USE_I18N": True,
    # The choice is kept in the browser alone; it says nothing of who made it.
    "LANGUAGE_COOKIE_NAME": "clinic_language",
    "LANGUAGE_COOKIE_AGE": LANGUAGE_SECONDS,
    "LANGUAGE_COOKIE_HTTPONLY": True,
    "LANGUAGE_COOKIE_SAMESITE": "Strict",
}

_ACCOUNTS = {
    "AUTH_USER_MODEL": "accounts.Account",
    "AUTHENTICATION_BACKENDS": ["equipoise.web.accounts.sessions.AccountBackend"],
    # scrypt (RFC 7914) with Django's parameters.
    "PASSWORD_HASHERS": ["django.contrib.auth.hashers.ScryptPasswordHasher"],
    "AUTH_PASSWORD_VALIDATORS": [
        {
            "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
            "OPTIONS": {"min_length": 12},
        },
        {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
        {
            "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
            "OPTIONS": {"user_attributes": ("username", "printed_name", "email")},
        },
    ],
    "LOGIN_URL": "account_login",
    "LOGIN_REDIRECT_URL": "home",
    "LOGOUT_REDIRECT_URL": "account_login",
    "ACCOUNT_ADAPTER": "equipoise.web.accounts.adapter.AccountAdapter",
    "ACCOUNT_LOGIN_METHODS": {"username"},
    "ACCOUNT_SIGNUP_FIELDS": ["username*", "password1*"],
    "ACCOUNT_EMAIL_VERIFICATION": "none",
    "ACCOUNT_USER_DISPLAY": "equipoise.web.accounts.models.printed_name_of",
    "ACCOUNT_SESSION_REMEMBER": False,
    "ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE": False,
    "ACCOUNT_PREVENT_ENUMERATION": True,
    # Five wrong passwords for an account, or twenty from one address, lock it for a while.
    "ACCOUNT_RATE_LIMITS": {"login": "60/m/ip", "login_failed": "20/5m/ip,5/15m/key"},
    "MFA_SUPPORTED_TYPES": ["totp", "webauthn", "recovery_codes"],
    "MFA_ADAPTER": "equipoise.web.accounts.adapter.FactorAdapter",
    "MFA_PASSKEY_LOGIN_ENABLED": True,
    "MFA_TOTP_ISSUER": "Equipoise",
    "USERSESSIONS_TRACK_ACTIVITY": False,
    # Shared by all processes, so that what counts attempts counts them all.
    "CACHES": {
        "default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "clinic_cache"}
    },
    "SESSION_ENGINE": "equipoise.web.accounts.sessions",
    "SESSION_COOKIE_AGE": SESSION_SECONDS,
    "SESSION_EXPIRE_AT_BROWSER_CLOSE": True,
    "MESSAGE_STORAGE": "django.contrib.messages.storage.cookie.CookieStorage",
    "CSRF_FAILURE_VIEW": "equipoise.web.errors.show_csrf_failure",
    "DATA_UPLOAD_MAX_MEMORY_SIZE": POST_BYTES_MAX,
    "DATA_UPLOAD_MAX_NUMBER_FIELDS": FIELDS_MAX,
}


def _secure(https: bool) -> dict[str, object]:
    plain: dict[str, object] = {
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Strict",
        "CSRF_COOKIE_HTTPONLY": True,
        "CSRF_COOKIE_SAMESITE": "Strict",
        "MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN": not https,
    }
    if not https:
        return plain
    return plain | {
        "SESSION_COOKIE_SECURE": True,
        "CSRF_COOKIE_SECURE": True,
        "LANGUAGE_COOKIE_SECURE": True,
        # The proxy in front ends TLS, and must set this header itself whatever a client sends.
        "SECURE_PROXY_SSL_HEADER": ("HTTP_X_FORWARDED_PROTO", "https"),
    }
