"""Making a data cut: the state of a trial at a position of its ledger, read as the analysis wants it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import pairwise
from typing import Any

from equipoise.allocation.state import AllocationRow, UnblindingRow
from equipoise.analysis.cut import (
    CutAdministration,
    CutAmendment,
    CutEncounter,
    CutParticipant,
    CutRenewal,
    DataCut,
)
from equipoise.analysis.derive import mask_cut
from equipoise.capture.state import EncounterRow, LogRow, QueryRow
from equipoise.conduct.coding import with_codings
from equipoise.conduct.evidence import evidence_of
from equipoise.conduct.rooms import apply_entry
from equipoise.conduct.trail import Trail
from equipoise.conduct.versions import Versions
from equipoise.definition.model.definition import StudyDefinition
from equipoise.enrolment.entries import ConsentRenewed
from equipoise.enrolment.state import AssessmentRow, ParticipantRow
from equipoise.governance.state import TrialRow, versions_of
from equipoise.imaging.state import ReadingRow
from equipoise.ledger.entry import Head
from equipoise.ledger.protocol import Ledger
from equipoise.ledger.tables import Tables
from equipoise.supply.state import LotRow, UnitRow

ArmOf = Callable[[Tables, str], str]


@dataclass(frozen=True, slots=True)
class State:
    """The tables at a position, how many entries of each kind led there, and the consents renewed by then."""

    tables: Tables
    head: Head
    recorded_at: str
    kinds: Mapping[str, int]
    renewals: Mapping[str, Sequence[CutRenewal]]


def replay(ledger: Ledger, position: int | None = None) -> State:
    """Replay a ledger up to a position (None: to its head); raises ValueError for one it does not reach."""
    tables, head, recorded_at, kinds = Tables(), Head.genesis(), "", Counter[str]()
    renewals: dict[str, list[CutRenewal]] = {}
    for entry in ledger.read():
        if position is not None and entry.position > position:
            break
        apply_entry(tables, entry)
        head, recorded_at = entry.head, entry.recorded_at
        kinds[entry.kind] += 1
        if entry.kind == ConsentRenewed.kind:
            renewals.setdefault(str(entry.content["participant"]), []).append(_renewal(entry.content))
    if position is not None and head.position != position:
        raise ValueError(f"the ledger ends at position {head.position}, before {position}")
    return State(tables, head, recorded_at, kinds, renewals)


def state_about(participant: str, tables: Tables, ledger: Ledger, trail: Trail) -> State:
    """Return the state of a trial as it stands, with what a cut of one participant asks of the entries."""
    last = next(ledger.read(trail.position - 1))
    lines = trail.of_participant(participant, ConsentRenewed.kind)
    renewals = {participant: [_renewal(line.content) for line in lines]}
    return State(tables, last.head, last.recorded_at, {}, renewals)


def _renewal(content: Mapping[str, Any]) -> CutRenewal:
    # The table of participants keeps the version alone: visits are counted from the first consent.
    return CutRenewal(
        consent_version=content["consent_version"],
        consented_on=date.fromisoformat(content["consented_on"]),
    )


def cut_trial(
    versions: Versions, state: State, arm_of: ArmOf | None, participant: str | None = None
) -> DataCut:
    """Cut the data of a state, under the version of the study that was the latest there.

    Without `arm_of` the cut is masked: no arms, nothing that would unmask. A cut of one participant says
    nothing of the trial as a whole.
    """
    tables = state.tables
    definition = versions.latest(tables)
    trial = next(tables.all(TrialRow))
    as_of = date.fromisoformat(state.recorded_at[:10])
    people = tuple(
        replace(
            _cut_participant(definition, versions, tables, row, as_of, arm_of),
            renewals=tuple(state.renewals.get(row.participant, ())),
        )
        for row in tables.all(ParticipantRow)
        if participant in (None, row.participant)
    )
    cut = DataCut(
        definition=definition,
        participants=people,
        masked=False,
        mode=trial.mode,
        position=state.head.position,
        head=state.head.hash,
        recorded_at=state.recorded_at,
        locked_at=trial.locked_at,
        unblinded_at=trial.unblinded_at,
        counts=_count(state, masked=arm_of is None) if participant is None else {},
        amendments=tuple(_amendments(versions, tables)) if participant is None else (),
    )
    return mask_cut(cut) if arm_of is None else cut


def _amendments(versions: Versions, tables: Tables) -> Iterator[CutAmendment]:
    for before, row in pairwise(versions_of(tables)):
        yield CutAmendment(
            study_version=row.study_version,
            title=row.title,
            recorded_on=date.fromisoformat(row.recorded_at[:10]),
            randomised=sum(each.randomised_at < row.recorded_at for each in tables.all(AllocationRow)),
            changes=versions.changes(before.definition, row.definition),
        )


def _cut_participant(
    definition: StudyDefinition,
    versions: Versions,
    tables: Tables,
    row: ParticipantRow,
    as_of: date,
    arm_of: ArmOf | None,
) -> CutParticipant:
    code = row.participant
    site = definition.site(row.site)
    assert site is not None, "a participant's site is one of the definition's"
    allocated = tables.get(AllocationRow, code)
    assessed = tables.get(AssessmentRow, code, row.screening)
    evidence = evidence_of(definition, tables, code, as_of)
    lots = tables.where(LotRow, participant=code)
    return CutParticipant(
        participant=code,
        site=row.site,
        country=site.country,
        sub_trial=site.sub_trial,
        variant=row.variant,
        status="randomised" if allocated and row.status == "screening" else row.status,
        consented_on=date.fromisoformat(row.consented_on),
        randomised_on=date.fromisoformat(allocated.randomised_on) if allocated else None,
        arm=arm_of(tables, code) if allocated and arm_of else None,
        ended_on=_day(row.ended_on),
        end_scope=row.end_scope,
        end_cause=row.end_cause,
        screening_outcome=assessed.outcome if assessed else None,
        criteria=assessed.criteria if assessed else {},
        rows=tuple(
            with_codings(tables, definition, code, form_row)
            for form in definition.forms
            for form_row in evidence.rows(form.id)
        ),
        encounters=_cut_encounters(definition, versions, tables, code),
        administrations=_cut_administrations(definition, tables, code),
        reviewed={r.form: date.fromisoformat(r.through) for r in tables.where(LogRow, participant=code)},
        failed_lots=tuple(lot.cause or "" for lot in lots if lot.status == "failed"),
        unblindings=tuple(r.kind for r in tables.where(UnblindingRow, participant=code)),
    )


def _cut_encounters(
    definition: StudyDefinition, versions: Versions, tables: Tables, code: str
) -> tuple[CutEncounter, ...]:
    order = {planned.id: place for place, planned in enumerate(definition.schedule.encounters)}
    rows = sorted(
        tables.where(EncounterRow, participant=code), key=lambda r: order.get(r.encounter, len(order))
    )
    return tuple(
        CutEncounter(
            encounter=row.encounter,
            status=row.status,
            took_place_on=_day(row.took_place_on),
            days_off=row.days_off,
            cause=row.cause,
            not_asked=_not_asked(definition, versions.of(row.definition), row.encounter),
        )
        for row in rows
    )


def _not_asked(latest: StudyDefinition, then: StudyDefinition | None, encounter: str) -> tuple[str, ...]:
    """The forms that a later version asks for at an encounter, and the one that held at its time did not."""
    if then is None or then is latest:
        return ()
    asked = then.schedule.forms_at(encounter)
    return tuple(form for form in latest.schedule.forms_at(encounter) if form not in asked)


def _cut_administrations(
    definition: StudyDefinition, tables: Tables, code: str
) -> tuple[CutAdministration, ...]:
    given = [row for row in tables.where(UnitRow, participant=code) if row.given_on is not None]
    epochs = {planned.id: planned.epoch for planned in definition.schedule.encounters}
    return tuple(
        CutAdministration(
            product=row.product,
            encounter=row.encounter,
            epoch=epochs[row.encounter],
            given_on=date.fromisoformat(row.given_on or ""),
        )
        for row in sorted(given, key=lambda row: (row.given_on or "", row.encounter))
    )


def _count(state: State, *, masked: bool) -> dict[str, int]:
    tables, kinds = state.tables, state.kinds
    # How many queries there are about what would unmask is for unmasked eyes, too.
    queries = [query for query in tables.all(QueryRow) if not (masked and query.unmasking)]
    readings = list(tables.all(ReadingRow))
    return {
        "entries": sum(kinds.values()),
        "forms recorded": kinds.get("FormRecorded", 0),
        "corrections": kinds.get("ItemCorrected", 0),
        "queries": len(queries),
        "open queries": sum(query.status != "closed" for query in queries),
        "scans read": len(readings),
        "scans refused": kinds.get("ScanRefused", 0),
        "readings adjudicated": sum(reading.how == "adjudicated" for reading in readings),
        "emergency unblindings": kinds.get("ParticipantUnblinded", 0),
    }


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)
