"""Where a trial is kept: in a file, or in the PostgreSQL database that one setting names."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias
from urllib.parse import parse_qsl, unquote, urlsplit

from equipoise.store.failures import StoreUnreadable
from equipoise.store.names import TRIAL_FILE

DATABASE_URL = "EQUIPOISE_DATABASE_URL"

_SCHEMES = ("postgresql", "postgres")
_SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
_NAME_BYTES_MAX = 63
_FORM = "postgresql://USER@HOST/NAME, with :PASSWORD, :PORT, ?sslmode= or, instead of HOST, ?host=/FOLDER"
# Letters, digits and marks of a URL (RFC 3986), and whole percent escapes.
_URL = re.compile(r"(?:[A-Za-z0-9\-._~:/?\[\]@!$&'()*+,;=]|%[0-9A-Fa-f]{2})*")


@dataclass(frozen=True, slots=True)
class DatabaseUrl:
    """A PostgreSQL database; an absolute path as the host is the folder of the server's socket.

    The password is empty where the server asks for none, or the account's password file has it.
    """

    user: str
    host: str
    name: str
    port: int | None = None
    sslmode: str | None = None
    password: str = field(default="", repr=False)

    def __str__(self) -> str:
        port = "" if self.port is None else f":{self.port}"
        return f"{self.user}@{self.host}{port}/{self.name}"

    @classmethod
    def read(cls, text: str) -> DatabaseUrl:
        """Read a URL, strictly; raises StoreUnreadable (STORE-URL), which says nothing of what it holds.

        User, password and name may be written with percent escapes.
        """
        if not _URL.fullmatch(text):
            raise _unclear("it holds a character that no URL has. Write such a one as a percent escape")
        try:
            parts = urlsplit(text)
            port = parts.port
            options = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=True, errors="strict")
            user, password, name = (
                unquote(part or "", errors="strict")
                for part in (parts.username, parts.password, parts.path.removeprefix("/"))
            )
        except ValueError:
            # The cause would show what stands in the URL.
            raise _unclear(f"it is not of the form {_FORM}") from None
        return cls._check(parts.scheme, user, password, parts.hostname or "", port, name, options)

    @classmethod
    def _check(
        cls,
        scheme: str,
        user: str,
        password: str,
        host: str,
        port: int | None,
        name: str,
        options: list[tuple[str, str]],
    ) -> DatabaseUrl:
        named = dict(options)
        folder, sslmode = named.pop("host", None), named.pop("sslmode", None)
        for is_wrong, problem in (
            (scheme not in _SCHEMES, "it does not begin with postgresql://"),
            (bool(named) or len(dict(options)) < len(options), "it has another option than sslmode and host"),
            (sslmode not in (None, *_SSL_MODES), f"sslmode is not one of {', '.join(_SSL_MODES)}"),
            (folder is not None and not folder.startswith("/"), "?host= is not the full path of a folder"),
            (not user, "it names no user"),
            (bool(host) == (folder is not None), "it needs one host, before the name or as ?host="),
            ("," in host, "it names more than one host"),
            (not 0 < len(name.encode()) <= _NAME_BYTES_MAX, "the database's name is missing or too long"),
            ("/" in name, "the database's name holds a /"),
            ("\0" in f"{user}{password}{name}{folder}", "it holds a NUL"),
        ):
            if is_wrong:
                raise _unclear(f"{problem}. Write {_FORM}")
        return cls(user, folder or host, name, port, sslmode, password)


Place: TypeAlias = Path | DatabaseUrl
"""A file, or a database."""


def folder_of(trial: Path) -> Path:
    """Return the folder of a trial that is named by it, or by a file in it."""
    return trial if trial.is_dir() else trial.parent


def trial_place(trial: Path) -> Place:
    """Return where the trial is kept that a folder, or the trial's file in it, stands for.

    That is the database which EQUIPOISE_DATABASE_URL names, where it is set, else the file. Raises
    StoreUnreadable: STORE-URL, STORE-TWO-PLACES (the variable is set, and the file is there too: neither is
    to be taken for the other).
    """
    file = trial / TRIAL_FILE if trial.is_dir() else trial
    url = os.environ.get(DATABASE_URL)
    if not url:
        return file
    if file.exists():
        raise StoreUnreadable(
            "STORE-TWO-PLACES",
            f"{DATABASE_URL} names a database, and {file.name} is there as well. Unset the variable to use "
            "the file, or move the file away.",
        )
    return DatabaseUrl.read(url)


def describe(place: Place) -> str:
    """Return how a sentence names a place, without its folder or server."""
    return place.name if isinstance(place, Path) else f"The database {place.name}"


def _unclear(problem: str) -> StoreUnreadable:
    return StoreUnreadable("STORE-URL", f"The database's URL cannot be used: {problem}.")
