"""What the commands print, and how they end."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import typer
from rich.console import Console

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)


def say(text: str, style: str | None = None) -> None:
    """Print a line as it is, without markup."""
    out.print(text, style=style, markup=False)


def counted(number: int, noun: str, plural: str = "") -> str:
    """Return a number with its noun."""
    return f"{number} {noun if number == 1 else plural or noun + 's'}"


def write(text: str) -> None:
    """Print a document as it is, to be piped on."""
    sys.stdout.write(text if text.endswith("\n") else text + "\n")


def fail(code: str, sentence: str) -> NoReturn:
    """Print an error and end the command with exit code 1."""
    err.print(f"{code}: {sentence}", style="bold red", markup=False)
    raise typer.Exit(1)


@contextmanager
def clear_errors() -> Iterator[None]:
    """End the command with a clear sentence for every error that belongs to the interface.

    Such errors have a `code` and a `sentence`; any other is a defect and shows itself whole.
    """
    try:
        yield
    except Exception as error:
        code, sentence = getattr(error, "code", None), getattr(error, "sentence", None)
        refusal = getattr(error, "refusal", None)
        if refusal is not None:
            fail(refusal.code, f"{refusal.sentence} {refusal.remedy}")
        if isinstance(error, OSError):
            place = error.filename or "a file"
            fail(
                "FILE",
                f"{place}: {error.strerror}. Check the path, its permissions and the space on the disk.",
            )
        if not isinstance(code, str):
            raise
        fail(code, sentence if isinstance(sentence, str) else str(error))
