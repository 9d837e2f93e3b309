"""forms/*.yaml as far as a USDM file holds them: biomedical concepts with their properties."""

from __future__ import annotations

import re
from typing import Final

from equipoise.exchange.identifiers import Identifiers
from equipoise.exchange.usdm.draft import Draft, Tree, called, filled
from equipoise.exchange.usdm.tree import Part
from equipoise.exchange.usdm.write_schedule import ASKED_OF_UNMASKED, DATATYPES

_TYPES: Final = {
    **{datatype: word for word, datatype in DATATYPES.items()},
    "string": "text",
    "float": "decimal",
    "": "text",
}
_WHOLE: Final = re.compile(r"-?\d{1,15}")
_NUMBERS: Final = ("Minimum", "Maximum", "Step")


def form_parts(draft: Draft) -> list[Tree]:
    """Return a form for each biomedical concept; of another origin it is the draft of one."""
    return [_form(draft, one) for one in draft.version.parts("biomedicalConcepts")]


def _form(draft: Draft, concept: Part) -> Tree:
    notes = concept.noted(
        "Repeating", "Log", "Dated by", "Filled by", ASKED_OF_UNMASKED, "Source", "Source verification"
    )
    own_name = concept.peek("name") or ""
    if draft.own:
        concept.done("reference")
        concept.settle_at("code")
    names = draft.identifiers("item")
    filled_by = notes.get("Filled by")
    return filled(
        {
            "id": draft.name(concept, "form"),
            "title": called(concept),
            "repeating": True if notes.get("Repeating") == "yes" else None,
            "log": True if notes.get("Log") == "yes" else None,
            "dated_by": notes.get("Dated by"),
            "unmasking": True if notes.get(ASKED_OF_UNMASKED) == "yes" else None,
            "filled_by": filled_by.split(", ") if filled_by else None,
            "source": notes.get("Source"),
            "source_verification": notes.get("Source verification"),
            "items": [
                _item(draft, one, own_name, names)
                for one in concept.parts("properties")
                if one.tree.get("isEnabled") is not False
            ],
        }
    )


def _item(draft: Draft, part: Part, form: str, names: Identifiers) -> Tree:
    notes = part.noted("Unit", *_NUMBERS, ASKED_OF_UNMASKED, "Coded with", "Critical", "Help")
    answers = [
        _answer(draft, one) for one in part.parts("responseCodes") if one.tree.get("isEnabled") is not False
    ]
    datatype = part.text("datatype") or ""
    kind = "choice" if answers else _TYPES.get(datatype)
    if kind is None:
        part.account.seen.discard((id(part.tree), "datatype"))
    part.done("isEnabled")
    if draft.own:
        part.settle_at("code")
    name = (part.text("name") or "").removeprefix(f"{form}.")
    return filled(
        {
            "id": names.new(name),
            "label": part.text("label") or name,
            "type": kind,
            "unit": notes.get("Unit"),
            "codes": answers,
            **{label.lower(): _number(notes.get(label)) for label in _NUMBERS},
            "required": None if part.flag("isRequired") else False,
            "unmasking": True if notes.get(ASKED_OF_UNMASKED) == "yes" else None,
            "coded_with": notes.get("Coded with"),
            "critical": True if notes.get("Critical") == "yes" else None,
            "help": notes.get("Help"),
        }
    )


def _answer(draft: Draft, part: Part) -> Tree:
    code = part.part("code")
    label = part.text("label")
    part.done("name", "isEnabled")
    if code is None:
        return filled({"label": label})
    if draft.own:
        code.settle()
    written = code.text("code")
    return filled({"code": written, "label": label or code.text("decode") or written})


def _number(text: str | None) -> int | str | None:
    """A number as the study folder has it: whole, or the digits as text."""
    return int(text) if text is not None and _WHOLE.fullmatch(text) else text
