"""The limits of the house, kept by a test: sizes, banned names, the pilot's name, promises, places, rooms.

Each rule is a function from a file to complaints. It is run over the whole project, and over samples that
break it. Words that no file may contain are spelled in two halves here.
"""

import ast
import os
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = "src/equipoise/"

FUNCTION_LINES_MAX = 70
MODULE_LINES_MAX = 500

CLOCK = f"{PACKAGE}conduct/clock.py"
ENTROPY = f"{PACKAGE}conduct/entropy.py"
SEALING = f"{PACKAGE}store/sealing.py"
CLI = f"{PACKAGE}cli/"

# A pattern for the full dotted name, and the only places where it may stand (a trailing / is a folder).
BANNED = {
    r"datetime\.(datetime|date)\.(now|utcnow|today)": (CLOCK,),
    r"time\.(time|time_ns|localtime|gmtime|ctime)": (CLOCK,),
    r"django\.utils\.timezone\.(now|localtime|localdate)": (CLOCK,),
    r"random(\..*)?": (ENTROPY,),
    r"secrets(\..*)?": (ENTROPY,),
    r"uuid\.uuid[14]": (ENTROPY,),
    r"os\.(urandom|getrandom)": (ENTROPY, SEALING),
    # A numpy generator that is handed its seed is welcome; the hidden global one is not.
    r"numpy\.random\.(seed|rand\w*|normal|uniform|poisson|binomial|choice|shuffle|permutation)": (),
    r"cryptography\.hazmat\.primitives\.ciphers\.aead(\..*)?": (SEALING,),
    r"print": (),
    r"(rich|typer)(\..*)?": (CLI,),
    r"sys\.(stdout|stderr)(\..*)?": (CLI,),
}
# Without a seed these ask the operating system for one.
SEEDED = re.compile(r"numpy\.random\.(default_rng|SeedSequence|PCG64|PCG64DXSM|Philox|MT19937|SFC64)")

PILOT = re.compile(r"mesems|multiple[\s_-]+sclerosis|lesion|edss|gadolinium", re.IGNORECASE)
PILOT_SUFFIXES = (".py", ".md", ".html", ".css", ".js", ".toml", ".yaml")

PROMISE = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|XX" + r"X)\b")
PLACE = re.compile(
    r"(?<![\w./-])/(work|tmp|root|opt|home/\w+|Users/\w+)/"
    r"|\b(pypi|pythonhosted|crates|npmjs|deb\.debian|proxy\.golang)\.(org|io|com)\b"
)

ROOMS = ("enrolment", "allocation", "capture", "safety", "imaging", "supply", "governance")
ROOM_FILES = frozenset({"__init__.py", "commands.py", "entries.py", "state.py", "decide.py", "README.md"})
# What a room holds beyond these, each with the reason why none of the five files can hold it.
ROOM_EXTRAS: dict[str, dict[str, str]] = {
    "allocation": {
        "methods.py": "lists and minimisation are pure functions of a seed, checked against the literature",
        "vault.py": "the store implements the vault's protocol, and openings are checked without a vault",
    },
    "capture": {
        "evidence.py": "what was recorded, as expressions read it and as it is signed; conduct builds on it",
        "findings.py": "edit checks and the queries that they open, the same for recording and correcting",
        "forms.py": "decisions about forms; the rest stays in decide.py",
        "verification.py": "what was compared with its source, item by item; the views read its marks",
    },
}

CODE_SUFFIXES = frozenset({"", ".R", ".cfg", ".css", ".html", ".js", ".lock", ".md", ".py", ".sh", ".toml"})
DATA_SUFFIXES = frozenset({".csv", ".json", ".jsonl", ".svg", ".txt", ".xml", ".xsd", ".yaml", ".yml"})
# Folders at the root that commands make, and hidden ones that are the project's own.
MADE = frozenset({"build", "demo", "dist"})
KEPT_HIDDEN = frozenset({".ci", ".github"})

Rule = Callable[[str, str], Iterator[str]]


def read_project() -> dict[str, str]:
    """Every text file of the project by its path from the root, without what the tools and commands make."""
    texts = {}
    for folder, folders, names in os.walk(ROOT):
        made = {f for f in folders if f.startswith(".") or f == "__pycache__"} - KEPT_HIDDEN
        folders[:] = set(folders) - made - (MADE if Path(folder) == ROOT else set())
        for path in (Path(folder, name) for name in names):
            if path.suffix in CODE_SUFFIXES | DATA_SUFFIXES and not path.name.startswith(
                (".coverage", ".git")
            ):
                texts[path.relative_to(ROOT).as_posix()] = path.read_text(encoding="utf-8", errors="replace")
    return texts


def check_sizes(path: str, text: str) -> Iterator[str]:
    """Functions and modules that nobody can take in at one reading."""
    if not path.endswith(".py") or "/migrations/" in path:
        return
    lines = len(text.splitlines())
    if lines > MODULE_LINES_MAX:
        yield f"{path}: {lines} lines, at most {MODULE_LINES_MAX}"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > FUNCTION_LINES_MAX:
                yield f"{path}:{node.lineno}: {node.name} has {lines} lines, at most {FUNCTION_LINES_MAX}"


def derive_imports(tree: ast.Module) -> Iterator[tuple[int, str, str, str]]:
    """Line, local name, what it stands for, and what is imported: at a module's top or in a function."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                top = alias.name.split(".")[0]
                yield node.lineno, alias.asname or top, alias.name if alias.asname else top, alias.name
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            for alias in node.names:
                dotted = f"{node.module}.{alias.name}"
                yield node.lineno, alias.asname or alias.name, dotted, dotted


def derive_dotted(node: ast.AST, names: dict[str, str]) -> str | None:
    """The full dotted name that an expression stands for, where it starts from an import or is `print`."""
    if isinstance(node, ast.Name):
        return names.get(node.id, "print" if node.id == "print" else None)
    if isinstance(node, ast.Attribute):
        base = derive_dotted(node.value, names)
        return f"{base}.{node.attr}" if base else None
    return None


def check_banned(path: str, text: str) -> Iterator[str]:
    """Clock, entropy, cipher and terminal outside their one module, whether called or only handed on."""
    if not (path.startswith(PACKAGE) and path.endswith(".py")):
        return
    tree = ast.parse(text)
    imports = list(derive_imports(tree))
    names = {local: dotted for _, local, dotted, _ in imports}
    found = {(line, dotted) for line, _, _, dotted in imports}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name | ast.Attribute) and (dotted := derive_dotted(node, names)):
            found.add((node.lineno, dotted))
        if isinstance(node, ast.Call) and SEEDED.fullmatch(derive_dotted(node.func, names) or ""):
            arguments = [*node.args, *(keyword.value for keyword in node.keywords)]
            if path != ENTROPY and all(isinstance(a, ast.Constant) and a.value is None for a in arguments):
                yield f"{path}:{node.lineno}: a generator without a seed, which belongs in {ENTROPY}"
    for line, dotted in sorted(found):
        for pattern, places in BANNED.items():
            if re.fullmatch(pattern, dotted) and not path.startswith(places or ("nowhere",)):
                yield f"{path}:{line}: {dotted} belongs in {' or '.join(places) or 'no module'}"


def check_pilot(path: str, text: str) -> Iterator[str]:
    """The pilot study named outside its folder: what knows one study by name is not written for any study."""
    generic = path.startswith(PACKAGE) and not path.startswith(f"{PACKAGE}studies/")
    if generic and path.endswith(PILOT_SUFFIXES):
        yield from complain(path, f"{path}\n{text}", PILOT, "names the pilot study", first_line=0)


def check_promises(path: str, text: str) -> Iterator[str]:
    """Work that is promised in a comment instead of done or filed."""
    yield from complain(path, text, PROMISE, "promises work for later")


def check_places(path: str, text: str) -> Iterator[str]:
    """A folder of somebody's machine, or the host of a package registry."""
    yield from complain(path, text, PLACE, "names a machine's folder or a package registry")


def complain(path: str, text: str, pattern: re.Pattern[str], why: str, first_line: int = 1) -> Iterator[str]:
    for match in pattern.finditer(text):
        yield f"{path}:{text.count(chr(10), 0, match.start()) + first_line}: {match[0]!r} {why}"


def check_room(room: str, files: Iterable[str], extras: dict[str, str]) -> Iterator[str]:
    """A room of the middle floor without its five files, or with more than these and its explained extras."""
    expected = ROOM_FILES | extras.keys()
    yield from (f"{room}: {name} is missing" for name in sorted(expected - set(files)))
    yield from (f"{room}: {name} is not one of the five files" for name in sorted(set(files) - expected))
    yield from (f"{room}: {name} has no reason" for name, reason in extras.items() if not reason)


RULES: tuple[Rule, ...] = (check_sizes, check_banned, check_pilot, check_promises, check_places)


@pytest.fixture(scope="module")
def project() -> dict[str, str]:
    return read_project()


def test_the_project_is_read(project: dict[str, str]) -> None:
    expected = {
        "README.md",
        "Makefile",
        ".ci/run",
        "requirements.lock",
        "tests/test_limits.py",
        CLI + "__init__.py",
    }
    assert expected <= project.keys()
    assert not [path for path in project if path.startswith((".venv", "demo/", ".git/"))]


@pytest.mark.parametrize("rule", RULES)
def test_the_project_keeps(rule: Rule, project: dict[str, str]) -> None:
    assert [complaint for path, text in sorted(project.items()) for complaint in rule(path, text)] == []


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_has_its_five_files(room: str, project: dict[str, str]) -> None:
    folder = f"{PACKAGE}{room}/"
    files = [path.removeprefix(folder) for path in project if path.startswith(folder)]
    assert list(check_room(room, files, ROOM_EXTRAS.get(room, {}))) == []


def lines(count: int) -> str:
    return "    pass\n" * count


ANYWHERE = f"{PACKAGE}safety/decide.py"
CIPHER = "from cryptography.hazmat.primitives.ciphers.aead import AESGCM"


@pytest.mark.parametrize(
    ("rule", "path", "text"),
    [
        (check_sizes, "tests/test_long.py", "pass\n" * 501),
        (check_sizes, ANYWHERE, f"def f():\n{lines(70)}"),
        (check_sizes, ANYWHERE, f"class C:\n  async def f(self):\n{lines(70)}"),
        (check_banned, ANYWHERE, "from datetime import datetime\nx = datetime.now(UTC)"),
        (check_banned, ANYWHERE, "import datetime as dt\nfactory = dt.datetime.utcnow"),
        (check_banned, ANYWHERE, "import datetime\nx = datetime.date.today()"),
        (check_banned, ANYWHERE, "def f():\n    from time import time\n    return time()"),
        (check_banned, ANYWHERE, "import random"),
        (check_banned, ANYWHERE, "from random import Random as Dice"),
        (check_banned, ANYWHERE, "import secrets as s\nx = s.token_bytes(16)"),
        (check_banned, SEALING, "from secrets import token_bytes"),
        (check_banned, ANYWHERE, "from uuid import uuid4\nfield(default_factory=uuid4)"),
        (check_banned, ANYWHERE, "import os.path\nos.urandom(12)"),
        (check_banned, ANYWHERE, "import numpy as np\nnp.random.normal(size=3)"),
        (check_banned, ANYWHERE, "import numpy as np\nnp.random.default_rng()"),
        (check_banned, ANYWHERE, "from numpy.random import SeedSequence\nSeedSequence(entropy=None)"),
        (check_banned, ANYWHERE, CIPHER),
        (check_banned, f"{CLI}main.py", "print('done')"),
        (check_banned, ANYWHERE, "show = print"),
        (check_banned, ANYWHERE, "from rich.console import Console"),
        (check_banned, ANYWHERE, "import sys\nsys.stdout.write('x')"),
        (check_pilot, ANYWHERE, '"""Counts lesions."""'),
        (check_pilot, ANYWHERE, "multiple_sclerosis = 1"),
        (check_pilot, f"{PACKAGE}imaging/README.md", "Multiple\nSclerosis"),
        (check_pilot, f"{PACKAGE}imaging/edss.py", ""),
        (check_promises, "docs/guide.md", "TO" + "DO: write this"),
        (check_promises, ANYWHERE, "x = 1  # FIX" + "ME"),
        (check_places, "Makefile", "cd /" + "tmp/somewhere"),
        (check_places, "README.md", "unpack it into '/" + "home/nils/trial'"),
        (check_places, "requirements.lock", "--index-url https://py" + "pi.org/simple"),
        (check_places, "requirements.lock", "# https://files.python" + "hosted.org/packages/x.whl"),
    ],
)
def test_a_violation_is_found(rule: Rule, path: str, text: str) -> None:
    assert list(rule(path, text))


@pytest.mark.parametrize(
    ("rule", "path", "text"),
    [
        (check_sizes, ANYWHERE, f"def f():\n{lines(69)}"),
        (check_banned, CLOCK, "from datetime import UTC, datetime\nx = datetime.now(UTC)"),
        (check_banned, ENTROPY, "import secrets\nimport numpy as np\nnp.random.default_rng()"),
        (check_banned, SEALING, f"import os\n{CIPHER}\nos.urandom(12)"),
        (check_banned, f"{CLI}main.py", "from rich.console import Console\nConsole().print('done')"),
        (check_banned, ANYWHERE, "def f(clock, random):\n    return clock.now(), random.choice()"),
        (check_banned, ANYWHERE, "from datetime import datetime\nx = datetime.fromisoformat('2026-01-01')"),
        (check_banned, ANYWHERE, "import numpy as np\nnp.random.default_rng(7)"),
        (check_banned, ANYWHERE, "from numpy.random import Generator\nGenerator(bits).normal()"),
        (check_banned, "benchmarks/__main__.py", "print('1.2 ms')"),
        (check_pilot, f"{PACKAGE}studies/pilot/imaging.yaml", "label: new lesions"),
        (check_pilot, "tests/test_spec_imaging.py", "lesions = 3"),
        (check_promises, ANYWHERE, "what is to do, and a fixed method"),
        (check_places, "README.md", "https://example.org/home/start, src/work/x.py and ../tmp/x"),
    ],
)
def test_what_is_allowed_passes(rule: Rule, path: str, text: str) -> None:
    assert list(rule(path, text)) == []


def test_a_room_with_another_shape_is_found() -> None:
    def check(files: Iterable[str], **extras: str) -> list[str]:
        return list(check_room("supply", files, extras))

    assert check(ROOM_FILES) == []
    assert check(ROOM_FILES - {"state.py"}) == ["supply: state.py is missing"]
    assert check(ROOM_FILES | {"kits"}) == ["supply: kits is not one of the five files"]
    assert check(ROOM_FILES | {"kits"}, kits="the numbering is shared") == []
    assert check(ROOM_FILES | {"kits"}, kits="") == ["supply: kits has no reason"]
    assert check(ROOM_FILES, kits="it was moved") == ["supply: kits is missing"]
