"""An invented dictionary in the format of MedDRA's distribution, and one of medicines as a list.

No term in it is one of a real dictionary: those are licensed.
"""

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from equipoise.coding.commands import AddDictionary
from equipoise.coding.dictionary import Dictionaries, DictionaryContent, MemoryDictionaries
from equipoise.coding.listed import read_list
from equipoise.coding.meddra import read_meddra
from equipoise.definition.coding import coded_with
from equipoise.definition.model.definition import StudyDefinition

VERSION = "28.1"

CROWN = ("10000031", "Wobbles of the crown"), ("10000041", "Crown upsets"), ("10000051", "Upsets of head")
TOES = ("10000032", "Twinges of the toes"), ("10000042", "Toe upsets"), ("10000052", "Upsets of feet")
# Preferred terms with their primary path, and with those that are not.
PREFERRED = {
    "10000021": ("Glimmering", CROWN, (TOES,)),
    "10000022": ("Humming of the crown", CROWN, ()),
    "10000023": ("Curled toe", TOES, ()),
}
# Lowest level terms: code, text, preferred term, whether current. The longest is there for its many words:
# what a rehearsed site writes begins as one of them does, and is coded with it.
LOWEST = (
    ("10000011", "Glimmering", "10000021", "Y"),
    ("10000012", "Glimmering of the ears", "10000021", "Y"),
    ("10000013", "Ear glimmer", "10000021", "Y"),
    ("10000014", "Glimmers, old-fashioned", "10000021", "N"),
    ("10000015", "Humming", "10000022", "Y"),
    ("10000016", "Crown humming in dim, still and public rooms, fitful, at noon or later", "10000022", "Y"),
    ("10000017", "Curled toe", "10000023", "Y"),
    ("10000018", "Twice named", "10000022", "Y"),
    ("10000019", "Twice  Named", "10000023", "Y"),
)


def meddra_files() -> dict[str, list[str]]:
    """The files of the distribution, line by line."""
    # The empty fields are codes of other dictionaries.
    lowest = [f"{code}${text}${pt}$" + "$" * 6 + f"{current}$$" for code, text, pt, current in LOWEST]
    preferred = [
        f"{code}${text}$${path[2][0]}$" + "$" * 7 for code, (text, path, _others) in PREFERRED.items()
    ]
    hierarchy = [
        _hierarchy(code, text, each, primary)
        for code, (text, path, others) in PREFERRED.items()
        for each, primary in ((path, "Y"), *((other, "N") for other in others))
    ]
    return {"llt.asc": lowest, "pt.asc": preferred, "mdhier.asc": hierarchy}


def _hierarchy(code: str, text: str, path: tuple[tuple[str, str], ...], primary: str) -> str:
    codes, names = "$".join(each for each, _ in path), "$".join(name for _, name in path)
    return f"{code}${codes}${text}${names}$Upset$${path[2][0]}${primary}$"


def write_meddra(folder: Path, **changed: list[str]) -> Path:
    """Write the distribution into a folder; `changed` replaces the lines of files (llt, pt, mdhier)."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, lines in meddra_files().items():
        text = "".join(f"{line}\r\n" for line in changed.get(name.removesuffix(".asc"), lines))
        (folder / name).write_text(text, encoding="utf-8", newline="")
    return folder


DRUGS = (
    "code,term,preferred_code,preferred,atc4_code,atc4,current",
    "D001,Nodolex,P001,Nodolum,Z01AA,Soothers,Y",
    "D002,Nodolum,P001,Nodolum,Z01AA,Soothers,",
    'D003,"Quietin, forte",P002,Quietin,,,Y',
    "D004,Quietin (old),P002,Quietin,,,N",
)


def write_drugs(folder: Path, lines: tuple[str, ...] = DRUGS) -> Path:
    """Write the list of medicines into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "terms.csv").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return folder


def meddra(folder: Path) -> DictionaryContent:
    """The invented dictionary, as it is read."""
    return read_meddra(write_meddra(folder), VERSION)


def drugs(folder: Path) -> DictionaryContent:
    """The invented list of medicines, as it is read."""
    return read_list(write_drugs(folder), "whodrug")


@cache
def invented() -> dict[str, DictionaryContent]:
    """Both, by their names."""
    with TemporaryDirectory() as folder:
        return {"meddra": meddra(Path(folder)), "whodrug": drugs(Path(folder))}


def invented_dictionaries() -> Dictionaries:
    """Both, kept in memory."""
    return MemoryDictionaries(invented().values())


def added_dictionaries(definition: StudyDefinition) -> tuple[AddDictionary, ...]:
    """The commands that take into use those that a study codes with."""
    return tuple(
        AddDictionary(dictionary=name, version=VERSION, sha256=invented()[name].sha256)
        for name in coded_with(definition)
    )
