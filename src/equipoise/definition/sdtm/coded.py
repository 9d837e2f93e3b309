"""Where the hierarchy of a coded term stands in the datasets.

Source: SDTMIG 3.4, 6.2.1 (AE), 6.1.2 (CM) and the Events class of SDTM 2.0; the same names in ADaM OCCDS 1.1.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ..coded import Coding

TOPIC_ENDINGS = ("TERM", "TRT")
"""What the variable with the words of the site ends with: those alone are coded."""

_PLACES: Mapping[str, tuple[tuple[str, str | None, str], ...]] = {
    "meddra": (
        ("LLT", "LLTCD", "LLT"),
        ("DECOD", "PTCD", "PT"),
        ("HLT", "HLTCD", "HLT"),
        ("HLGT", "HLGTCD", "HLGT"),
        # The system organ class that tables are made by is the primary one, as the path is.
        ("BODSYS", "BDSYCD", "SOC"),
        ("SOC", "SOCCD", "SOC"),
    ),
    "whodrug": (("DECOD", None, "PREFERRED"), ("CLAS", "CLASCD", "ATC4 ATC3 ATC2 ATC1")),
}
"""By dictionary: the endings of the variables with the term and with its code, and the first level there."""

LABELS: Mapping[str, str] = {
    "LLT": "Lowest Level Term",
    "LLTCD": "Lowest Level Term Code",
    "DECOD": "Dictionary-Derived Term",
    "PTCD": "Preferred Term Code",
    "HLT": "High Level Term",
    "HLTCD": "High Level Term Code",
    "HLGT": "High Level Group Term",
    "HLGTCD": "High Level Group Term Code",
    "BODSYS": "Body System or Organ Class",
    "BDSYCD": "Body System or Organ Class Code",
    "SOC": "Primary System Organ Class",
    "SOCCD": "Primary System Organ Class Code",
    "CLAS": "Class",
    "CLASCD": "Class Code",
}
"""What each is called where the domain has no variable of its own for it."""


def coded_cells(coding: Coding) -> Iterator[tuple[str, str]]:
    """Iterate over what a coding fills: the ending of a variable's name, and the text in it."""
    for term, code, levels in _PLACES.get(coding.dictionary, ()):
        found = next((step for level in levels.split() if (step := coding.at(level)) is not None), None)
        if found is not None:
            yield term, found.term
            if code is not None:
                yield code, found.code


def coded_endings(dictionary: str) -> tuple[str, ...]:
    """Return the endings of the variables that a dictionary fills."""
    return tuple(
        each
        for term, code, _level in _PLACES.get(dictionary, ())
        for each in (term, code)
        if each is not None
    )
