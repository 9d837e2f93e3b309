"""Participants: how far they are, and whether they are eligible."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date

from equipoise.access.content import Audience
from equipoise.allocation.state import AllocationRow
from equipoise.analysis.cut import DataCut
from equipoise.capture.evidence import casebook_signed
from equipoise.capture.state import FreezeRow, QueryRow
from equipoise.conduct.cut import ArmOf, cut_trial, state_about
from equipoise.conduct.evidence import evidence_of
from equipoise.conduct.view.lines import FreezeLine, ParticipantLine
from equipoise.conduct.view.scope import Scope
from equipoise.definition.expression import Explanation, explain
from equipoise.definition.names import DefinitionNames
from equipoise.enrolment.state import AssessmentRow, ParticipantRow
from equipoise.ledger.protocol import Ledger

_NOT_SIGNED = frozenset(
    {
        *("CasebookSigned", "ParticipantCompleted", "ParticipantFrozen", "ParticipantUnfrozen"),
        *("QueryOpened", "QueryAnswered", "QueryClosed", "SourceVerified", "LogConfirmed"),
    }
)
"""Entries that leave a casebook as it was signed."""


def list_participants(scope: Scope) -> tuple[ParticipantLine, ...]:
    """List the participants within the scope, by code."""
    return tuple(_participant_line(scope, row) for row in scope.people())


def find_participant(scope: Scope, participant: str) -> ParticipantLine:
    """Return one participant within the scope."""
    scope.need_participant(participant)
    return _participant_line(scope, scope.tables.require(ParticipantRow, participant))


def _participant_line(scope: Scope, row: ParticipantRow) -> ParticipantLine:
    allocated = scope.tables.get(AllocationRow, row.participant)
    queries = scope.tables.where(QueryRow, participant=row.participant)
    return ParticipantLine(
        participant=row.participant,
        site=row.site,
        status="randomised" if allocated and row.status == "screening" else row.status,
        consented_on=row.consented_on,
        consent_version=row.consent_version,
        variant=row.variant,
        randomised_on=allocated.randomised_on if allocated else None,
        number=allocated.number if allocated else None,
        open_queries=sum(query.status != "closed" for query in queries if scope.shows_query(query)),
        frozen=scope.tables.get(FreezeRow, row.participant) is not None,
        signed=casebook_signed(scope.tables, row.participant),
        ended_on=row.ended_on,
        end_scope=row.end_scope,
        end_cause=row.end_cause,
    )


def list_freezes(scope: Scope) -> tuple[FreezeLine, ...]:
    """List the participants whose data are closed for entry."""
    frozen = [row for person in scope.people() if (row := scope.tables.get(FreezeRow, person.participant))]
    return tuple(
        FreezeLine(
            participant=row.participant,
            frozen_at=row.frozen_at,
            frozen_by=list(scope.trail.of_participant(row.participant, "ParticipantFrozen"))[-1].account,
        )
        for row in frozen
    )


def list_assessments(scope: Scope, participant: str) -> tuple[AssessmentRow, ...]:
    """List the frozen assessments of a participant, one for each screening."""
    scope.need_participant(participant)
    return tuple(row for row in scope.tables.all(AssessmentRow) if row.participant == participant)


def explain_criteria(scope: Scope, participant: str, on: date) -> Mapping[str, Explanation]:
    """Explain every criterion in force, as of a day, but those that read what is hidden."""
    scope.need_participant(participant)
    row = scope.tables.require(ParticipantRow, participant)
    definition = scope.definition_of(participant)
    evidence = evidence_of(definition, scope.tables, participant, on)
    rules = definition.eligibility.rules_for(row.variant, on)
    names = DefinitionNames(definition)
    return {
        rule.id: explain(rule.when, evidence, names)
        for rule in rules
        if rule.when is not None and not scope.hides_condition(rule.when)
    }


def cut_participant(scope: Scope, ledger: Ledger, participant: str, arm_of: ArmOf | None) -> DataCut:
    """Cut the data of one participant, without central readings for those who do not see them."""
    scope.need_participant(participant)
    state = state_about(participant, scope.tables, ledger, scope.trail)
    cut = cut_trial(scope.versions, state, arm_of, participant)
    imaging = cut.definition.imaging
    if imaging is None or Audience.READING in scope.viewer.audiences:
        return cut
    people = tuple(
        replace(person, rows=tuple(row for row in person.rows if row.form != imaging.read_form))
        for person in cut.participants
    )
    return replace(cut, participants=people)
