"""The formats of SAS that numbers and dates are shown in; a date is a number of which only its format tells.

Source: SAS Institute, "SAS Formats and Informats: Reference".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from equipoise.exchange.datasets.model import DataType, Variable

FORMAT: Final = re.compile(r"(\$?(?:[A-Za-z_](?:\w*[A-Za-z_])?)?)(\d*)\.(\d*)", re.ASCII)
"""A format: its name, its width, its decimals."""

_SHOWN: Final[Mapping[DataType, str]] = {"date": "DATE9.", "datetime": "DATETIME20.", "time": "TIME8."}
_KINDS: Final[Mapping[DataType, re.Pattern[str]]] = {
    "datetime": re.compile(r"(NL)?(DATETIME|DATEAMPM|MDYAMPM|YMDDTTM)|(B|E|IS)8601(D[TNXZ]|LX)"),
    "date": re.compile(
        r"(NL)?(DATE|DAY|JULIAN|WORDDATX?|WEEKDATX?|DDMMYY[BCDNPS]?|MMDDYY[BCDNPS]?|YYMMDD[BCDNPS]?)"
        r"|(B|E|IS)8601DA"
    ),
    "time": re.compile(r"(NL)?(TIME|TIMEAMPM|HHMM|TOD)|(B|E|IS)8601T[MXZ]"),
}


def display_format(variable: Variable) -> str | None:
    """Return the format that a variable is shown in: a date that is a number always has one."""
    if variable.display_format is None and variable.numeric_date:
        return _SHOWN[variable.type]
    return variable.display_format


def dated_by(shown: str | None) -> DataType | None:
    """Return what a number in a format counts, if it is a date, a date-time or a time."""
    found = FORMAT.fullmatch(shown or "")
    name = found[1].upper() if found else ""
    return next((kind for kind, pattern in _KINDS.items() if pattern.fullmatch(name)), None)
