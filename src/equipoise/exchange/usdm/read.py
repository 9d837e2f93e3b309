"""Reads a USDM 4.0 file into the parts of a study folder: what the file says, and nothing that it does not.

A draft is not a definition yet: conditions, roles and models of analysis are not in USDM. What the study
folder has no place for is returned with its JSON path.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from equipoise.exchange.unreadable import FileUnreadable
from equipoise.exchange.usdm.draft import Draft, Tree, filled
from equipoise.exchange.usdm.read_analysis import analysis_part
from equipoise.exchange.usdm.read_eligibility import eligibility_part
from equipoise.exchange.usdm.read_forms import form_parts
from equipoise.exchange.usdm.read_schedule import schedule_part
from equipoise.exchange.usdm.read_study import registry_part, study_part, supply_part
from equipoise.exchange.usdm.tree import Account, Part, read_json


@dataclass(frozen=True, slots=True)
class ReadStudy:
    """The parts of a study folder by file name, and the JSON path and text of all that has no place there.

    `amendments` are what the amendments in the file are called, which the draft already includes.
    """

    parts: Mapping[str, Tree]
    not_understood: tuple[tuple[str, str], ...]
    amendments: tuple[str, ...] = ()


def read_usdm(path: Path) -> ReadStudy:
    """Return the parts of a study folder that a USDM file holds; of several versions or designs the first.

    Raises FileUnreadable: the codes of `read_json`, USDM-VERSION, USDM-NO-VERSION, USDM-NO-DESIGN, USDM-TYPE,
    USDM-DANGLING, USDM-DUPLICATE-ID and USDM-LOOP.
    """
    account = Account(read_json(path))
    draft = _draft(Part(account, account.root, "$"))
    # Names are given in the order of reading: what others refer to comes first.
    study = study_part(draft)
    forms = form_parts(draft)
    schedule = schedule_part(draft)
    parts = {
        "study.yaml": study,
        "eligibility.yaml": eligibility_part(draft),
        "schedule.yaml": schedule,
        "analysis.yaml": analysis_part(draft),
        "registry.yaml": registry_part(draft),
        "supply.yaml": supply_part(draft),
        **{f"forms/{form['id']}.yaml": form for form in forms},
    }
    amendments = tuple(_called(each) for each in draft.version.parts("amendments"))
    return ReadStudy(
        {name: part for name, tree in parts.items() if (part := filled(tree))},
        tuple(account.left()),
        amendments,
    )


def _called(amendment: Part) -> str:
    """What an amendment is called: by its label, else by its number. What it says stays to be read."""
    return amendment.peek("label") or f"Amendment {amendment.peek('number') or ''}".strip()


def _draft(root: Part) -> Draft:
    version = root.text("usdmVersion") or "none"
    if not version.startswith("4."):
        raise FileUnreadable(
            "USDM-VERSION",
            f"The file is written for version {version[:20]} of USDM. Export it as USDM 4.0.",
            "$.usdmVersion",
        )
    own = root.peek("systemName") == "Equipoise"
    if own:
        root.done("systemName", "systemVersion")
    study = root.part("study")
    versions = study.parts("versions") if study else []
    if study is None or not versions:
        raise FileUnreadable(
            "USDM-NO-VERSION", "The study has no version. Export it whole.", "$.study.versions"
        )
    designs = versions[0].parts("studyDesigns")
    if not designs:
        place = f"{versions[0].place}.studyDesigns"
        raise FileUnreadable("USDM-NO-DESIGN", "The study has no design. Export it whole.", place)
    return Draft(study, versions[0], designs[0], own)
