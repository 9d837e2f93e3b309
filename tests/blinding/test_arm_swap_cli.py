"""The arm-swap test over the command line: every command that exists, as every masked account.

Both worlds are kept in SQLite files, without the vault: a masked account's commands must not need it.
"""

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from equipoise.access.actor import Actor
from equipoise.allocation.state import AllocationRow
from equipoise.cli.main import app
from equipoise.cli.trials import _readers
from equipoise.conduct.rooms import apply_entry
from equipoise.conduct.view import MaskedView
from equipoise.definition import lock
from equipoise.definition.lock import canonical_json
from equipoise.exchange.formats import FORMATS, FormatName
from equipoise.ledger import Entry, Tables
from equipoise.safety.state import EventRow
from equipoise.store import ledger
from equipoise.store.heads import publish_head
from equipoise.store.trial_store import TrialStore
from equipoise.studies import study_names
from tests.blinding.reach import Line, find_differences
from tests.blinding.worlds import World, make_worlds
from tests.dictionaries import invented, write_meddra

READER_OF_ALL = "data_manager"
WAYS_OF_READING: tuple[FormatName, ...] = ("adam", "odm2", "e2b")
TRIAL, HEADS, MADE = "trial.sqlite", "heads.jsonl", "made"
HEAD_KEY = bytes(range(32))

Arguments = Callable[[World], Iterator[list[str]]]


def _as(actor: Actor) -> list[str]:
    return ["--as", ":".join(filter(None, (actor.account, actor.role, actor.site)))]


def _accounts(world: World) -> list[Actor]:
    """One account of each masked role: there is one site."""
    return [actor for actor in world.masked if actor.account != "reader.2"]


def view_arguments(world: World) -> Iterator[list[str]]:
    trial = world.at(world.points[-1])
    code = next(row.participant for row in trial.tables.all(AllocationRow))
    for actor in _accounts(world):
        for what in [*_readers(trial.as_seen_by(actor), "", ""), "everything"]:
            named = what in ("timeline", "records", "eligibility")
            yield ["view", TRIAL, what, *_as(actor), "--participant", code if named else ""]
    yield ["view", TRIAL, "timeline", *_as(actor), "--participant", code, "--on", "2024-06-01"]


def report_arguments(world: World) -> Iterator[list[str]]:
    for actor in _accounts(world):
        yield ["report", TRIAL, *_as(actor), "--out", f"{MADE}/{actor.account}"]


def results_arguments(world: World) -> Iterator[list[str]]:
    yield ["registry", "results", TRIAL]
    for actor in _accounts(world):
        yield ["registry", "results", TRIAL, *_as(actor), "--out", f"{MADE}/{actor.account}.json"]


def export_arguments(world: World) -> Iterator[list[str]]:
    """Every form of every format as an account that reads all; as the others each way of reading a trial."""
    event = next(row for row in world.at(world.points[-1]).tables.all(EventRow) if row.serious)
    named = ["--event", f"{event.participant}:{event.row}", "--sender", "A", "--receiver", "B"]
    for actor in _accounts(world):
        reader = ["--reader", _as(actor)[1]]
        for name in FORMATS if actor.role == READER_OF_ALL else WAYS_OF_READING:
            for form in FORMATS[name].forms if actor.role == READER_OF_ALL else FORMATS[name].forms[:1]:
                out = f"{MADE}/{actor.account}-{name}.{form}"
                yield ["export", TRIAL, "--format", name, "--as", form, *reader, *named, "--out", out]
                if name == "e2b":
                    yield ["export", TRIAL, "--format", name, *reader, *named, "--unblinded", "--out", out]


def amend_arguments(world: World) -> Iterator[list[str]]:
    for actor in _accounts(world):
        yield ["amend", TRIAL, study_names()[0], *_as(actor), "--title", "Another study", "--check"]


def dictionary_arguments(world: World) -> Iterator[list[str]]:
    folder = write_meddra(Path("invented")).name
    for actor in _accounts(world):
        named = ["--name", "meddra", "--version", "29.0", *_as(actor)]
        yield ["dictionary", "add", TRIAL, folder, *named]
        yield ["dictionary", "add", TRIAL, MADE, *named]


ARGUMENTS: dict[str, Arguments | str] = {
    "amend": amend_arguments,
    "check": lambda world: iter([["check", study_names()[0]]]),
    "show": lambda world: iter([["show", study_names()[0]]]),
    "studies": lambda world: iter([["studies"]]),
    "verify": lambda world: iter([["verify", TRIAL], ["verify", TRIAL, "--heads", HEADS]]),
    "view": view_arguments,
    "dictionary add": dictionary_arguments,
    "report": report_arguments,
    "export": export_arguments,
    "registry record": lambda world: iter([["registry", "record", study_names()[0]]]),
    **dict.fromkeys(
        ("registry check", "registry page", "registry diff"), "It reads registry records and no trial."
    ),
    "registry results": results_arguments,
    "lock": "It reads the study folder and no trial.",
    "new": "It reads a study folder and no trial.",
    "import": "It reads what was exported, and no trial.",
    "open": "It reads a study folder, and makes a trial in which nobody is allocated yet.",
    "rehearse": "Who rehearses makes the vault and its key.",
    "backup": "Who backs a trial up has its vault, whose key is not copied; it prints names of files.",
    "serve": "Who serves has the vault and its key; what is served is crawled in tests/web/blinding.",
    "invite": "It reads no trial but its opening, and makes an account.",
    "cast": "Who has a rehearsed trial's folder has the vault and its key.",
    **dict.fromkeys(
        (
            "design size",
            "design power",
            "design bounds",
            "design graph",
            "design recruit",
            "design operating",
            "design report",
        ),
        "It reads assumptions, or a study folder, and no trial.",
    ),
    "repeat": "It reads a study folder and rehearses in memory.",
    "demo": "Who runs the demo makes the vault and its key.",
}
"""How each command is tried, or why it need not be; one that is not here fails the test."""


def commands() -> tuple[str, ...]:
    """Every command by its words, those of a group too."""
    return tuple(_words_of(typer.main.get_command(app), ()))


def _words_of(command: Any, words: tuple[str, ...]) -> Iterator[str]:
    inner = getattr(command, "commands", None)
    if inner is None:
        yield " ".join(words)
        return
    for name, each in inner.items():
        yield from _words_of(each, (*words, name))


def keep(world: World, folder: Path) -> None:
    """Keep a world as the database that a clinic would have, and publish its head."""
    definition = world.definition
    store = TrialStore.create(folder / TRIAL, definition.hash, canonical_json(definition))
    entries, tables = list(world.ledger.read()), Tables()
    tables.begin()
    for entry in entries:
        apply_entry(tables, entry)
    with store.ledger.exclusive() as transaction:
        transaction.append(entries, tables.changes())
    for content in invented().values():
        store.dictionaries.add(content)
    publish_head(folder / HEADS, store.head(), "database lock", HEAD_KEY)
    store.close()


def run(world: World, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Line]:
    monkeypatch.chdir(folder)
    (folder / MADE).mkdir()
    # Neither an entry nor a definition changes: each is read once, however many commands open the trial.
    monkeypatch.setattr(ledger, "Entry", SimpleNamespace(from_body=cache(Entry.from_body)))
    monkeypatch.setattr(lock, "definition_from_json", cache(lock.definition_from_json))
    # The head of the chain is named by its entry before it goes into files in which it could not be found.
    cut = MaskedView.cut
    monkeypatch.setattr(MaskedView, "cut", lambda *asked: world.with_named_head(cut(*asked)))
    for name in commands():
        tried = ARGUMENTS.get(name, "")
        for arguments in () if isinstance(tried, str) else tried(world):
            result = CliRunner().invoke(app, arguments, catch_exceptions=False)
            yield " ".join(arguments), f"{result.exit_code}\n{result.output}\n{result.stderr}"
    for path in sorted((folder / MADE).rglob("*")):
        # Every byte is a character: most of what is made is no text.
        yield path.relative_to(folder).as_posix(), path.read_text("latin-1") if path.is_file() else ""


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Line], list[Line]]:
    """What the command line says in each world; the hashes of the chain are named by their entries."""
    said = []
    for name, world in zip(("plain", "swapped"), make_worlds("betraying, in brief"), strict=True):
        folder = tmp_path_factory.mktemp(name)
        keep(world, folder)
        with pytest.MonkeyPatch.context() as patch:
            lines = list(run(world, folder, patch))
        said.append([(place, world.name_hashes(text)) for place, text in lines])
    return said[0], said[1]


def test_every_command_says_the_same_in_both_worlds(found: tuple[list[Line], list[Line]]) -> None:
    assert find_differences(*found) == []


def test_every_command_that_exists_was_tried_or_need_not_be() -> None:
    assert set(commands()) == ARGUMENTS.keys()


def test_what_was_tried_said_something(found: tuple[list[Line], list[Line]]) -> None:
    ended = {name: {text[0] for place, text in found[0] if place.startswith(name)} for name in ARGUMENTS}
    assert "0" in ended["verify"] & ended["view"] & ended["check"] & ended["show"]
    assert any("openings" in text for place, text in found[0] if place.startswith("verify"))
    assert any(place.endswith(".html") and len(text) > 1000 for place, text in found[0])
    assert "1" in ended["view"]
    made = {place for place, _ in found[0] if place.startswith(f"{MADE}/{READER_OF_ALL}-")}
    assert {name for name in FORMATS if not any(f"-{name}." in place for place in made)} == set()
    refused = [text for place, text in found[0] if place.startswith("registry results")]
    assert refused and all("RESULTS-MASKED" in text for text in refused)


def test_the_database_differs_only_where_masked_roles_do_not_look(tmp_path: Path) -> None:
    rows = []
    for name, world in zip(("plain", "swapped"), make_worlds("pilot"), strict=True):
        (tmp_path / name).mkdir()
        keep(world, tmp_path / name)
        rows.append((tmp_path / name / HEADS).read_bytes())
    assert rows[0] == rows[1], "where nothing that is recorded depends on the arm, not even the head does"
