"""README.txt of a results package: in words, what it holds and how it is checked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from textwrap import fill

from equipoise.analysis.cut import DataCut

_FORMS = {
    "html": ("report/*.html", "the report, and the listings by participant, for a browser"),
    "pdf": ("report/*.pdf", "the report; listings by participant, a file for each chapter of ICH E3 16.2"),
    "rtf": (
        "report/rtf/",
        "each table, listing and figure, and tables-listings-figures.rtf with all of them",
    ),
}
_PARTS = (
    ("datasets/", "the datasets, with what describes their variables"),
    ("definition/study.lock", "the whole study definition as canonical JSON; its SHA-256 is named below"),
    ("registry/", "the public record with its results, in the form of ClinicalTrials.gov"),
    ("manifest.json", "every file with its bytes and its SHA-256, and all that is said below"),
)


def readme(cut: DataCut, forms: Iterable[str], programs: Mapping[str, str], refused: str) -> str:
    """Return the text.

    `forms` are those of the report; `refused` says why there is no registry record, or is empty.
    """
    study = cut.definition.study
    title = f"{study.acronym or study.id}: {study.title}"
    lines = [title, "=" * min(len(title), 100), ""]
    lines += [_paragraph(each) for each in _opening(cut)]
    lines.append("What is in it\n")
    for path, words in (*(_FORMS[form] for form in forms), *_PARTS):
        if path == "registry/" and refused:
            words = f"not in this package. {refused}"
        lines.append(fill(words, 100, initial_indent=f"  {path:<24}", subsequent_indent=" " * 26))
    lines += ["", "What it was made from\n"]
    facts = {
        "definition": f"{study.id}, version {study.version}",
        "its SHA-256": cut.definition.hash,
        "ledger position": str(cut.position),
        "ledger head": cut.head,
        "time of the cut": cut.recorded_at,
        "locked": cut.locked_at or "no",
        "unblinded": cut.unblinded_at or "no",
    }
    lines += [f"  {name:<24}{value}" for name, value in facts.items()]
    lines += ["", "With which programs\n"]
    lines += [f"  {name:<24}{value}" for name, value in programs.items()]
    lines += ["", "How to check it\n"]
    lines.append(_paragraph(_CHECK).rstrip("\n"))
    return "\n".join(lines) + "\n"


_CHECK = (
    "The SHA-256 of every file must be the one in manifest.json, and no file may be missing or be there that "
    "is not named. Equipoise checks that, and so does any program that computes SHA-256. Whoever changes "
    "a file can change the manifest, too: note the SHA-256 of the zip when you receive it, and compare the "
    "head of the ledger with the one that the trial's office has published."
)


def _opening(cut: DataCut) -> list[str]:
    if cut.masked:
        words = (
            "A draft of the results while the trial is masked. All participants are described together; "
            "nothing here depends on who was allocated to what."
        )
    else:
        words = "The results of the trial, by arm, with what they were made from."
    simulated = "The data are SIMULATED: every participant and every value is invented."
    draft = "The data are not locked, so everything here may still change."
    return [
        words,
        *([simulated] if cut.mode == "rehearsal" else []),
        *([draft] if cut.locked_at is None else []),
    ]


def _paragraph(words: str) -> str:
    return fill(words, 100) + "\n"
