"""The catalogues of the clinic's languages: `python -m tests.web.catalogues` brings them up to date.

English is the source. What is new in the code and the templates is put into every catalogue with an empty
translation, what is gone is taken out, and the compiled catalogue is written beside it. No file holds a date
or a line number: the same texts make the same bytes.
"""

import io
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS
from babel.messages.extract import extract as texts
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.conf import settings
from django.utils.translation.template import templatize

WEB = Path(__file__).parents[2] / "src" / "equipoise" / "web"
LANGUAGES = ("sv", "it")
LINE_LENGTH = 110

_KEYWORDS = DEFAULT_KEYWORDS | {f"{name}_lazy": places for name, places in DEFAULT_KEYWORDS.items()}
_KEPT = ("Language:", "Plural-Forms:", "MIME-Version:", "Content-Type:", "Content-Transfer-Encoding:")
_UNDATED = datetime(2000, 1, 1, tzinfo=UTC)
Found = tuple[str | tuple[str, ...], str | None]
"""A text with its plural where it has one, and its context."""


def extract() -> Catalog:
    """Return every text of the interface with the files that it is in."""
    template = Catalog(fuzzy=False)
    for path in sorted((*WEB.rglob("*.py"), *WEB.rglob("*.html"))):
        place = path.relative_to(WEB).as_posix()
        for text, context in _texts_of(path):
            template.add(text, locations=[(place, 0)], context=context)
    return template


def merge(template: Catalog) -> None:
    """Put into every language's catalogue what is new, and take out what is gone."""
    for language in LANGUAGES:
        catalogue = read(language)
        catalogue.update(template, no_fuzzy_matching=True)
        path_of(language).parent.mkdir(parents=True, exist_ok=True)
        path_of(language).write_bytes(_written(catalogue))


def compile_catalogues() -> None:
    """Write each catalogue as the clinic reads it."""
    for language in LANGUAGES:
        path_of(language).with_suffix(".mo").write_bytes(compiled(read(language)))


def read(language: str) -> Catalog:
    """Return a language's catalogue, an empty one where there is none."""
    path = path_of(language)
    if not path.exists():
        return Catalog(locale=language, header_comment=f"# The interface in {language}.", fuzzy=False)
    with path.open("rb") as file:
        return read_po(file, locale=language, abort_invalid=True)


def compiled(catalogue: Catalog) -> bytes:
    """Return a catalogue as the clinic reads it, without what is not translated."""
    catalogue.creation_date = catalogue.revision_date = _UNDATED
    for each in missing_from(catalogue):
        catalogue.delete(each.id, each.context)
    buffer = io.BytesIO()
    write_mo(buffer, catalogue)
    return buffer.getvalue()


def path_of(language: str) -> Path:
    """Return where a language's catalogue is."""
    return WEB / "locale" / language / "LC_MESSAGES" / "django.po"


def missing_from(catalogue: Catalog) -> list[Message]:
    """Return the texts that a catalogue has no translation of."""
    return [
        each
        for each in catalogue
        if each.id and not all(each.string if isinstance(each.string, tuple | list) else (each.string,))
    ]


def _texts_of(path: Path) -> Iterator[Found]:
    source = path.read_text(encoding="utf-8")
    if path.suffix == ".html":
        # What is no text becomes words of X, whose indentation means nothing.
        source = "\n".join(line.lstrip() for line in templatize(source).splitlines())
    for _line, text, _comments, context in texts("python", io.BytesIO(source.encode()), _KEYWORDS):
        yield text, context


def _written(catalogue: Catalog) -> bytes:
    buffer = io.BytesIO()
    write_po(
        buffer, catalogue, width=LINE_LENGTH, sort_output=True, ignore_obsolete=True, include_lineno=False
    )
    head, blank, rest = buffer.getvalue().partition(b"\n\n")
    kept = tuple(f'"{name}'.encode() for name in _KEPT)
    lines = [line for line in head.splitlines() if not line.startswith(b'"') or line.startswith(kept)]
    return b"\n".join(lines) + blank + rest


if __name__ == "__main__":
    settings.configure()
    merge(extract())
    compile_catalogues()
    for name in LANGUAGES:
        missing = missing_from(read(name))
        sys.stdout.write(f"{name}: {len(missing)} of {len(read(name))} texts are not translated\n")
