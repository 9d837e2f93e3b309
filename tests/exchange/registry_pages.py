"""The project's own page, and the same page repaired so that it agrees with itself."""

from __future__ import annotations

from pathlib import Path

from equipoise.exchange.registry.findings import Finding
from equipoise.exchange.registry.read_page import read_page
from equipoise.exchange.registry.rules import find_contradictions
from equipoise.exchange.registry.source import Source

ROOT = Path(__file__).resolve().parents[2]
OWN_PAGE = ROOT / "src" / "equipoise" / "studies" / "mesems" / "record.txt"
SHARED = ROOT.parent / "shared"
REAL_PAGE = SHARED / "record-NCT01730547.txt"
API_FILES = [
    SHARED / "external" / "records" / f"{number}.json"
    for number in ("NCT00763412", "NCT02210780", "NCT03475563", "NCT04207047")
]

ONE_OUTCOME = """The co-primary objective is activity: contrast-enhancing lesions, counted on 1,5 T scans, \
should be fewer over 24 weeks with the cells than with placebo.
48 weeks
"""
TWO_OUTCOMES = """
48 weeks
Activity of the disease
Time Frame: 24 weeks
Contrast-enhancing lesions, counted on 1.5 T scans, should be fewer over 24 weeks \
with the cells than with placebo.
24 weeks
"""
TREATMENTS = "Biological: Autologous mesenchymal stem cells\nDrug: Placebo\n"
REPAIRS = (
    ("at 15 sites in nine countries", "at one site"),
    ("randomised phase 2 trial", "randomised phase 1/2 trial"),
    ("2-15 years", "2-10 years"),
    ("2·5-6·5", "3.0-6.5"),
    (ONE_OUTCOME, TWO_OUTCOMES),
    ("get placebo at week 24. The follow-up visit at week 48 is the last.\n",
     "get placebo at week 24. The follow-up visit at week 48 is the last.\n" + TREATMENTS),
    ("infused once at week 24. The follow-up visit at week 48 is the last.\n",
     "infused once at week 24. The follow-up visit at week 48 is the last.\n" + TREATMENTS),
)  # fmt: skip


def replaced(text: str, old: str, new: str) -> str:
    assert text.count(old) >= 1, f"the page has no {old!r}"
    return text.replace(old, new, 1)


def repaired_page() -> str:
    text = OWN_PAGE.read_text(encoding="utf-8")
    for old, new in REPAIRS:
        text = replaced(text, old, new)
    return text


def findings_of(text: str) -> list[Finding]:
    return find_contradictions(read_page(Source(text)))


def codes_of(text: str) -> list[str]:
    return [finding.code for finding in findings_of(text)]
