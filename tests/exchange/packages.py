"""Small packages of datasets: one that has something of everything, and any that Hypothesis draws."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import strategies as st

from equipoise.exchange.datasets.model import (
    Cell,
    CodeList,
    Dataset,
    DataType,
    Origin,
    Package,
    Term,
    ValueLevel,
    Variable,
)

EXTERNAL = Path(__file__).resolve().parents[3] / "shared" / "external" / "dataset-json"
PILOT = ("dm", "ae", "adsl")
CREATED = "2026-03-01T09:30:07+00:00"

needs_pilot = pytest.mark.skipif(
    not EXTERNAL.is_dir(),
    reason=f"the folder {EXTERNAL.parent.name}/{EXTERNAL.name} is not beside the project",
)

SEX = CodeList(
    id="CL.SEX",
    name="Sex",
    ncit="C66731",
    terms=(Term("F", "Female", "C16576"), Term("M", "Male", "C20197"), Term("NB", "Non-binary")),
    extended=True,
)
PARAM = CodeList(
    id="CL.PARAMTYP",
    name="Parameter type",
    ncit="C81225",
    publishing_set="ADaM",
    terms=(Term("DERIVED", ncit="C81197"),),
)
UNITS = CodeList(id="CL.UNIT", name="Units", terms=(Term("mm[Hg]"), Term("µmol/L")))
STAGES = CodeList(
    id="CL.STAGE", name="Stage", type="integer", terms=(Term("1", "first"), Term("2", "second"))
)
TERMS = CodeList(id="CL.MEDDRA", name="Terms", terms=(), dictionary="MedDRA", dictionary_version="27.1")
CODELISTS = (SEX, PARAM, UNITS, STAGES, TERMS)


def dataset(*variables: Variable, rows: tuple[tuple[Cell, ...], ...] = (), name: str = "DM") -> Dataset:
    return Dataset(
        name=name,
        label=f"Dataset {name}",
        structure="One record per subject",
        dataset_class="SPECIAL PURPOSE",
        variables=variables,
        rows=rows,
    )


def variable(name: str, type: DataType = "text", label: str = "A label", **more: Any) -> Variable:
    return Variable(**({"name": name, "label": label, "type": type, "origin": "Collected"} | more))


def package(*datasets: Dataset, **more: Any) -> Package:
    given: dict[str, Any] = {
        "standard": "SDTMIG",
        "version": "3.4",
        "controlled_terms": "2025-09-26",
        "study": "TRIAL-1",
        "study_name": "TRIAL-1",
        "study_description": "A trial",
        "protocol": "Protocol 1",
        "created": CREATED,
        "definition_hash": "ab12",
        "masked": False,
        "datasets": datasets,
    }
    return Package(**(given | more))


def result(type: DataType, label: str, **more: Any) -> Variable:
    return Variable(name="VSORRES", label=label, type=type, origin="Collected", source="Investigator", **more)


FULL = package(
    dataset(
        variable("STUDYID", key=1, role="Identifier", mandatory=True, length=12),
        variable("DOMAIN", length=2),
        variable("USUBJID", label="Unique Subject Identifier", key=2, mandatory=True, page="3 7"),
        variable("AGE", "integer", method="Years from birth to consent.", source="Sponsor"),
        variable("SEX", codelist=SEX, page="Demographics"),
        variable("BMI", "float", comment="At screening.\nOnce only.", codelist=STAGES),
        variable("RFICDTC", "date"),
        variable("BRTHDTC", "partialDate"),
        variable("TRTSDT", "date", numeric_date=True, origin="Predecessor", predecessor="EX.EXSTDTC"),
        variable("TRTSDTM", "datetime", numeric_date=True, display_format="E8601DT19."),
        variable("TRTSTM", "time", numeric_date=True),
        rows=(
            ("TRIAL-1", "DM", "01-001", 34, "F", 21.25, "2026-01-02", "1991-05", "2026-01-09",
             "2026-01-09T08:15:00", "08:15:00"),
            ("TRIAL-1", "DM", "01-002", None, None, None, None, None, None, None, None),
            ("TRIAL-1", "DM", "Ærø \"x\", <&>", 71, "NB", -0.1, "2026-02-03", "1955", "1959-12-31",
             "1959-12-31T23:59:59", "00:00:00"),
        ),
    ),
    dataset(
        variable("VSTESTCD"),
        variable(
            "VSORRES",
            values=(
                ValueLevel(where=(("VSTESTCD", "SYSBP"),), variable=result("integer", "Systolic")),
                ValueLevel(
                    where=(("VSTESTCD", "TEMP"),), variable=result("float", "Temperature", codelist=UNITS)
                ),
            ),
        ),
        rows=(("SYSBP", "120"), ("TEMP", "36.65")),
        name="VS",
    ),
)  # fmt: skip

_DATA = st.text(st.characters(exclude_categories=("Cs", "Cc")) | st.sampled_from("\n\r\t\",;'"), max_size=9)
_WORDS = st.text("abc XYZ äµ€<&>\"'\n", min_size=1, max_size=12)
_NAMES = st.text("ABCDEFGHIJ_", min_size=1, max_size=6)
_MOMENTS = st.integers(-(10**9), 10**9).map(
    lambda n: datetime.fromisoformat("1960-01-01") + timedelta(seconds=n)
)
_FLOATS = st.floats(-1e75, 1e75, allow_subnormal=False).filter(lambda x: x == 0 or abs(x) > 1e-70)

VALUES: dict[DataType, st.SearchStrategy[Cell]] = {
    "text": _DATA,
    "integer": st.integers(-(2**53), 2**53),
    "float": _FLOATS,
    "date": st.dates(date(1600, 1, 1)).map(date.isoformat),
    "datetime": _MOMENTS.map(datetime.isoformat),
    "time": _MOMENTS.map(lambda moment: moment.time().isoformat()),
    "partialDate": st.sampled_from(["2012", "2012-05", "--05-03"]),
    "durationDatetime": st.just("P3D"),
}


@st.composite
def variables(draw: st.DrawFn, name: str) -> Variable:
    type_ = draw(st.sampled_from(sorted(VALUES)))
    maybe = partial(st.one_of, st.none())
    origin: Origin | None = draw(st.sampled_from(["Collected", "Derived", "Predecessor", None]))
    return Variable(
        name=name,
        label=draw(st.text("abc äµ", max_size=12)),
        type=type_,
        origin=origin,
        source=None if origin is None else draw(maybe(st.sampled_from(["Sponsor", "Subject"]))),
        codelist=draw(maybe(st.sampled_from(CODELISTS))),
        role=draw(maybe(_WORDS)),
        mandatory=draw(st.booleans()),
        method=draw(maybe(_WORDS)),
        page=draw(maybe(_WORDS)) if origin in ("Collected", "Derived") else None,
        predecessor=draw(maybe(_WORDS)) if origin == "Predecessor" else None,
        comment=draw(maybe(_WORDS)),
        numeric_date=type_ in ("date", "datetime", "time") and draw(st.booleans()),
    )


@st.composite
def datasets(draw: st.DrawFn, name: str) -> Dataset:
    names = draw(st.lists(_NAMES, min_size=1, max_size=5, unique=True))
    found = [draw(variables(each)) for each in names]
    keys = draw(st.permutations([1, 2, 3, None, None]))
    found = [replace(each, key=key) for each, key in zip(found, keys, strict=False)]
    cells = [st.none() | VALUES[each.type] for each in found]
    last = found[-1]
    if draw(st.booleans()) and last.type == "text":
        level = st.builds(
            ValueLevel,
            where=st.tuples(st.tuples(st.just(found[0].name), _WORDS)),
            variable=variables(last.name),
        )
        found[-1] = replace(last, values=tuple(draw(st.lists(level, max_size=2))))
    return Dataset(
        name=name,
        label=draw(st.text("abc äµ", max_size=12)),
        structure=draw(_WORDS),
        dataset_class=draw(st.sampled_from(["EVENTS", "OCCURRENCE DATA STRUCTURE", None])),
        variables=tuple(found),
        rows=tuple(draw(st.lists(st.tuples(*cells), max_size=4))),
        repeating=draw(st.booleans()),
        reference=draw(st.booleans()),
        comment=draw(st.none() | _WORDS),
    )


@st.composite
def packages(draw: st.DrawFn) -> Package:
    names = draw(st.lists(_NAMES, min_size=1, max_size=2, unique=True))
    return package(
        *(draw(datasets(name)) for name in names),
        standard=draw(st.sampled_from(["SDTMIG", "ADaMIG"])),
        masked=draw(st.booleans()),
        annotated_crf=draw(st.sampled_from([None, "acrf.pdf"])),
    )


def without_blanks(rows: tuple[tuple[Cell, ...], ...]) -> list[tuple[Cell, ...]]:
    """The rows as a form keeps them that has no empty texts and no blanks at the end of a text."""
    return [
        tuple((cell.rstrip(" ") or None) if isinstance(cell, str) else cell for cell in row) for row in rows
    ]
