"""The wording of refusals, kept in a file and compared."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path

from equipoise.access.refusal import Refusal
from equipoise.definition.model.definition import StudyDefinition
from tests.blinding.reach import command_types

SNAPSHOT = Path(__file__).with_name("refusals.txt")
REGENERATE = "EQUIPOISE_WRITE_SNAPSHOTS"


class Wording:
    """Sentences of refusals with what differs from case to case replaced by what it is."""

    def __init__(self, definition: StudyDefinition) -> None:
        study = definition.study
        named = {
            "role": [*(role.id for role in study.roles), *(role.kind for role in study.roles), "burglar"],
            "command": [kind.__name__ for kind in command_types()],
            "site": [*(site.id for site in study.sites), "XX99"],
            "form": [form.id for form in definition.forms],
            "item": [item.id for form in definition.forms for item in form.items],
            "encounter": [each.id for each in definition.schedule.encounters],
        }
        self._patterns = [
            (re.compile(r"\b[0-9a-f]{12,64}\b"), "<hash>"),
            (re.compile(r"\d{4}-\d{2}-\d{2}T[\d:.]+Z"), "<time>"),
            (re.compile(r"\d{4}-\d{2}-\d{2}"), "<date>"),
            (re.compile(r"\b[A-Z]{2}\d{2}-\d{3}\b"), "<participant>"),
            (re.compile(r"\b[A-Z]-[0-9A-Z]+\b"), "<code>"),
            (re.compile(r"(?<=The account ) ?[\w.]+ ?(?= (would|acts|does not hold the role))"), "<account>"),
            (re.compile(r"(?<=clock )(serious|suspected|never)"), "<clock>"),
            *((_any_of(words), f"<{what}>") for what, words in named.items()),
            (re.compile(r"unheard_of|unscheduled_\d+"), "<name>"),
            (re.compile(r"\b\d+\b"), "<number>"),
            (re.compile(r"(<role>|<form>|system)(, (<role>|<form>))+"), "<list>"),
        ]

    def write(self, refusals: Iterable[Refusal]) -> str:
        """Every refusal once, in order: code, sentence, remedy."""
        found = {
            f"{each.code}\n    {self._normalise(each.sentence)}\n    {self._normalise(each.remedy)}\n"
            for each in refusals
        }
        return "".join(sorted(found))

    def _normalise(self, text: str) -> str:
        for pattern, name in self._patterns:
            text = pattern.sub(name, text)
        return text


def compare_snapshot(text: str) -> None:
    """Fail when the wording has changed; with the environment variable set, write it anew."""
    if os.environ.get(REGENERATE):
        SNAPSHOT.write_text(text, encoding="utf-8")
    assert text == SNAPSHOT.read_text(encoding="utf-8"), f"read the changes, then set {REGENERATE}=1"


def _any_of(words: list[str]) -> re.Pattern[str]:
    # An ordinary word counts as a name only after what it is the name of.
    plain = [word for word in words if word.isalpha() and word.islower()]
    odd = [word for word in words if word not in plain]
    options = [rf"\b{re.escape(word)}\b" for word in sorted(odd, key=len, reverse=True)]
    options += [rf"(?<=(?:form|role|item|nter) )\b{word}\b" for word in plain]
    options += [rf"(?<=(, |: ))\b{word}\b(?=[,.])" for word in plain]
    return re.compile("|".join(options))
