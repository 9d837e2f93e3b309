"""From a data cut to evidence: for each participant, what the expressions of the analysis are evaluated
against.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from functools import cache

from equipoise.analysis.cut import CutParticipant, DataCut
from equipoise.analysis.deviations import derive_deviations
from equipoise.analysis.result import Deviation, SetResult
from equipoise.definition.expression import (
    EvidenceTable,
    FormRow,
    Node,
    Outcome,
    PartialDate,
    Truth,
    Value,
    evaluate,
    form_row,
    number,
    parse_text,
    truth,
)
from equipoise.definition.model.analysis import AnalysisSet
from equipoise.definition.model.definition import StudyDefinition

# What may be named without its form, because a category of a model usually is one of these.
PARTICIPANT_NAMES = ("site", "country", "sub_trial", "variant")


@cache
def item_at(item: str, encounter: str) -> Node:
    """The expression of a form.item at an encounter."""
    return parse_text(f"{item} at {encounter}")


def cut_date(cut: DataCut) -> date:
    """The day of the cut, which is `today` in every expression."""
    return date.fromisoformat(cut.recorded_at[:10])


def mask_cut(cut: DataCut) -> DataCut:
    """The cut without arms, and without any form or item that would betray one."""
    hidden_forms = {form.id for form in cut.definition.forms if form.unmasking}
    hidden_items = {
        (form.id, item.id) for form in cut.definition.forms for item in form.items if item.unmasking
    }

    def kept(rows: tuple[FormRow, ...]) -> Iterator[FormRow]:
        for row in rows:
            if row.form not in hidden_forms:
                values = {
                    name: seen for name, seen in row.values.items() if (row.form, name) not in hidden_items
                }
                coded = {name: each for name, each in row.codings.items() if name in values}
                yield replace(row, values=values, codings=coded) if len(values) < len(row.values) else row

    people = tuple(
        replace(person, arm=None, rows=tuple(kept(person.rows)), failed_lots=())
        for person in cut.participants
    )
    return replace(cut, participants=people, masked=True)


def _with_single_arm(cut: DataCut) -> DataCut:
    """The cut with everybody in the arm of a study that has one and allocates nobody."""
    arms = cut.definition.study.arms
    if cut.definition.study.randomised or len(arms) != 1:
        return cut
    people = tuple(replace(person, arm=arms[0].id) for person in cut.participants)
    return replace(cut, participants=people)


class Frame:
    """A data cut made ready for analysis: evidence, deviations and sets, each derived when it is first asked
    for.
    """

    def __init__(self, cut: DataCut) -> None:
        self.cut = mask_cut(cut) if cut.masked else _with_single_arm(cut)
        self.definition: StudyDefinition = cut.definition
        self.people: Mapping[str, CutParticipant] = {each.participant: each for each in self.cut.participants}
        self.today = cut_date(cut)
        names = {name: parse_text(f"participant.{name}") for name in PARTICIPANT_NAMES}
        self._variables: Mapping[str, Node] = {
            **names,
            **self.definition.eligibility.variables,
            **self.definition.analysis.variables,
        }
        self._logs = frozenset(form.id for form in self.definition.forms if form.log)
        self._deviations: tuple[Deviation, ...] | None = None
        self._evidence: dict[str, EvidenceTable] = {}
        self._sets: dict[str, SetResult] = {}

    @property
    def arms(self) -> tuple[str, ...]:
        """The arms in the order of the definition; none in a masked cut."""
        return () if self.cut.masked else tuple(arm.id for arm in self.definition.study.arms)

    @property
    def deviations(self) -> tuple[Deviation, ...]:
        """All protocol deviations, by participant."""
        if self._deviations is None:
            self._deviations = derive_deviations(self.cut)
        return self._deviations

    def evidence(self, participant: str) -> EvidenceTable:
        """All that is known of a participant on the day of the cut."""
        if participant not in self._evidence:
            person = self.people[participant]
            mine = [each for each in self.deviations if each.participant == participant]
            self._evidence[participant] = EvidenceTable(
                self.today,
                [*person.rows, *_trial_rows(person, mine)],
                anchors=_anchors(person),
                variables=self._variables,
                reviewed=person.reviewed,
                logs=self._logs,
            )
        return self._evidence[participant]

    def number(self, node: Node, participant: str) -> float | None:
        """The exact number that an expression is for a participant (true is 1), None when it is not known."""
        value = number(node, self.evidence(participant))
        return float(value) if isinstance(value, int | Decimal) else None

    def outcome(self, node: Node, participant: str) -> Outcome:
        """The value of an expression for a participant."""
        return evaluate(node, self.evidence(participant))

    def truth(self, node: Node, participant: str) -> Truth:
        """Whether a condition is met for a participant."""
        return truth(node, self.evidence(participant))

    def text(self, node: Node, participant: str) -> str | None:
        """The value of a category as text, None when it is not known."""
        outcome = self.outcome(node, participant)
        if isinstance(outcome, Truth):
            return None if outcome is Truth.UNKNOWN else str(outcome is Truth.MET).lower()
        if isinstance(outcome, bool):
            return str(outcome).lower()
        return str(outcome) if isinstance(outcome, str | int | Decimal | date) else None

    def analysis_set(self, set_id: str) -> SetResult:
        """The members of an analysis set, with the reason for everyone else."""
        if set_id not in self._sets:
            planned = self.definition.analysis.analysis_set(set_id)
            if planned is None:
                raise LookupError(f"There is no analysis set '{set_id}' in the definition.")
            self._sets[set_id] = self._derive_set(planned)
        return self._sets[set_id]

    def _derive_set(self, planned: AnalysisSet) -> SetResult:
        members: list[str] = []
        excluded: list[tuple[str, str]] = []
        for participant in self.people:
            failed = self._first_unmet(planned, participant)
            if failed is None:
                members.append(participant)
            else:
                excluded.append((participant, failed))
        return SetResult(id=planned.id, title=planned.title, members=tuple(members), excluded=tuple(excluded))

    def _first_unmet(self, planned: AnalysisSet, participant: str) -> str | None:
        for name, condition in planned.requires.items():
            outcome = self.truth(condition, participant)
            if outcome is not Truth.MET:
                unmet, words = outcome is Truth.NOT_MET, planned.reasons.get(name)
                if words is None:
                    return f"{'Not met' if unmet else 'Not known'}: {name.replace('_', ' ')}"
                return words if unmet else f"{words} (not known)"
        return None


def _anchors(person: CutParticipant) -> dict[str, date | None]:
    anchors: dict[str, date | None] = {each.encounter: each.took_place_on for each in person.encounters}
    anchors["consent"] = person.consented_on
    anchors["randomisation"] = person.randomised_on
    anchors["first_administration"] = min((each.given_on for each in person.administrations), default=None)
    return anchors


def _trial_rows(person: CutParticipant, deviations: list[Deviation]) -> Iterator[FormRow]:
    """The three forms that the trial itself fills: participant, administration, deviation."""
    values: dict[str, Value] = {
        "id": person.participant,
        "site": person.site,
        "country": person.country,
        "sub_trial": person.sub_trial,
        "variant": person.variant,
        "arm": person.arm,
        "status": person.status,
        "randomised": person.randomised_on is not None,
        "treated": bool(person.administrations),
        "completed": person.status == "completed",
        "withdrawn": person.status == "withdrawn",
        "consented_on": person.consented_on,
        "randomised_on": person.randomised_on,
        "ended_on": person.ended_on,
        "first_administration_on": min((each.given_on for each in person.administrations), default=None),
        "administrations": len(person.administrations),
    }
    yield form_row("participant", values, date=PartialDate.of(person.consented_on))
    for index, given in enumerate(person.administrations, start=1):
        what: dict[str, Value] = {
            "product": given.product,
            "encounter": given.encounter,
            "epoch": given.epoch,
        }
        day = PartialDate.of(given.given_on)
        yield form_row("administration", what, encounter=given.encounter, row=index, date=day)
    for index, deviation in enumerate(deviations, start=1):
        found: dict[str, Value] = {"kind": deviation.kind, "severity": deviation.severity}
        dated = None if deviation.on is None else PartialDate.of(deviation.on)
        yield form_row("deviation", found, encounter=deviation.encounter, row=index, date=dated)
