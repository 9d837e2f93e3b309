"""A small study for the tests of the language: its words, and the names that it knows."""

from __future__ import annotations

from collections.abc import Collection

TYPES = {
    ("person", "birth_date"): "date",
    ("person", "sex"): "choice",
    ("person", "note"): "text",
    ("diagnosis", "course"): "choice",
    ("diagnosis", "onset"): "partial_date",
    ("diagnosis", "csf_positive"): "boolean",
    ("exam", "score"): "decimal",
    ("exam", "arm"): "choice",
    ("attack", "severity"): "integer",
    ("attack", "treated"): "boolean",
    ("scan", "active"): "integer",
    ("lab", "clearance"): "decimal",
    ("therapy", "kind"): "choice",
    ("therapy", "start"): "date",
    ("therapy", "stop"): "date",
    ("tumour", "kind"): "choice",
    ("tumour", "remission"): "partial_date",
    ("history", "pregnant"): "boolean",
    ("history", "wonder"): "marvel",
}
CODES: dict[tuple[str, str], list[str | int]] = {
    ("person", "sex"): ["f", "m"],
    ("diagnosis", "course"): ["relapsing", "secondary", "primary"],
    ("exam", "arm"): ["left", 3],
    ("therapy", "kind"): ["first_line", "second_line", "immunosuppressive", "corticosteroid"],
    ("tumour", "kind"): ["basal_cell", "in_situ", "other"],
}
LABELS: dict[str | int, str] = {
    "relapsing": "relapsing",
    "secondary": "secondary progressive",
    3: "the third arm",
}
VARIABLES = {"age": "number", "eligible": "boolean", "course": "choice", "odd": "marvel"}
ENCOUNTERS = {"screening", "week_4", "week_12"}


class StudySymbols:
    def form_exists(self, form: str) -> bool:
        return any(known == form for known, _ in TYPES)

    def item_type(self, form: str, item: str) -> str | None:
        return TYPES.get((form, item))

    def item_codes(self, form: str, item: str) -> Collection[str | int]:
        return CODES[form, item]

    def variable_type(self, name: str) -> str | None:
        return VARIABLES.get(name)

    def anchor_exists(self, name: str) -> bool:
        return name in {"randomisation", "consent", "today"} | ENCOUNTERS

    def encounter_exists(self, name: str) -> bool:
        return name in ENCOUNTERS


class StudyNames:
    def item_label(self, form: str, item: str) -> str:
        return item.replace("_", " ")

    def form_label(self, form: str, number: int) -> str:
        return form if number == 1 else {"therapy": "therapies"}.get(form, f"{form}s")

    def unit(self, form: str, item: str) -> str | None:
        return {"clearance": "mL/min", "score": "points"}.get(item)

    def choice_label(self, form: str, item: str, code: str | int) -> str | None:
        return LABELS.get(code, str(code)) if code in CODES.get((form, item), []) else None

    def anchor_label(self, name: str) -> str | None:
        return None if name in VARIABLES else name.replace("_", " ")

    def variable_label(self, name: str) -> str:
        return name
