"""What both directions share: namespaces, object identifiers, and characters that XML cannot hold."""

from __future__ import annotations

import re
from typing import Final, Literal

Version = Literal["1.3.2", "2.0"]

NAMESPACES: Final[dict[Version, str]] = {
    "1.3.2": "http://www.cdisc.org/ns/odm/v1.3",
    "2.0": "http://www.cdisc.org/ns/odm/v2.0",
}
OLD_NAMESPACES: Final = ("http://www.cdisc.org/ns/odm/v1.2", "http://www.cdisc.org/ns/odm/v1.1")
XML_LANG: Final = "{http://www.w3.org/XML/1998/namespace}lang"

SYSTEM: Final = "Equipoise"
"""The source system that a file of ours names, and the context of the expressions in it."""

OWN: Final = "equipoise:"
"""How the context of an alias begins that holds what ODM has no place for."""

GENERATED: Final = "EQ."
"""How the name of a generated part begins; those of a study are in lower case and hold no point."""

LOGS: Final = "EQ.LOGS"
"""The event of what is filled in between encounters."""

UNSCHEDULED: Final = "EQ.UNSCHEDULED"
"""The event of encounters that the schedule does not hold; its repeat key is the encounter's name."""

EVENT, FORM, GROUP, ITEM = "SE.", "F.", "IG.", "I."
CODE_LIST, CONDITION, UNIT, LOCATION, USER = "CL.", "COND.", "MU.", "LOC.", "USR."
VARIABLES: Final = {"eligibility": "M.eligibility.", "analysis": "M.analysis."}
"""How the methods of the variables of eligibility.yaml and analysis.yaml are named."""

_PREFIX = re.compile(
    r"(?:ODM|PROJECT|SE|EVENT|STUDYEVENT|FO|FORM|F|IG|ITEMGROUP|GRP|IT|ITEM|I|S|STUDY)[._:-]+(?=.*[A-Za-z])",
    re.IGNORECASE,
)
_NOT_IN_XML = r"\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff"
_TO_ESCAPE = re.compile(f"[{_NOT_IN_XML}]|_(?=x[0-9A-F]{{4}}[_{_NOT_IN_XML}])")
_ESCAPED = re.compile(r"_x([0-9A-F]{4})_")


def metadata_oid(study_version: str) -> str:
    """Return the identifier of a version of the metadata."""
    return f"MDV.{study_version}"


def tail(oid: str) -> str:
    """Return an object identifier without what only says of which kind the object is: F.VITALS is VITALS."""
    return _PREFIX.sub("", oid, count=1) if _PREFIX.match(oid) else oid


def escaped(text: str) -> str:
    """Return a text without characters that XML 1.0 cannot hold: each is `_xHHHH_`, as in Office Open XML.

    Source: ECMA-376-1:2016, 22.9.2.19.
    """
    return _TO_ESCAPE.sub(lambda found: f"_x{ord(found[0]):04X}_", text)


def unescaped(text: str) -> str:
    """Return the text that was escaped."""
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text)
