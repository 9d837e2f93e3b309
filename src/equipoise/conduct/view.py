"""The trial as a viewer may see it: every read starts here.

`MaskedView` has no allocation in its types. `UnmaskedView` adds it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from equipoise.access.content import KINDS, Audience
from equipoise.access.refusal import Refusal, Refused
from equipoise.access.visibility import Viewer
from equipoise.allocation.state import AllocationRow, UnblindingRow
from equipoise.analysis.cut import DataCut
from equipoise.capture.findings import looks_at_unmasking
from equipoise.capture.state import EncounterRow, LogRow, QueryRow, RecordRow, SignatureRow, visible_values
from equipoise.conduct.cut import cut_trial
from equipoise.conduct.evidence import anchors_of, evidence_of
from equipoise.definition.expression import Explanation, Node, explain
from equipoise.definition.model.definition import StudyDefinition
from equipoise.definition.model.schedule import Encounter
from equipoise.enrolment.state import AssessmentRow, ParticipantRow
from equipoise.governance.state import SiteRow, TrialRow
from equipoise.imaging.decide import reading_queue
from equipoise.imaging.state import ReadingRow, ScanRow, TaskRow
from equipoise.ledger.entry import Entry
from equipoise.ledger.protocol import Ledger
from equipoise.ledger.tables import Tables
from equipoise.safety.state import ClockRow, EventRow
from equipoise.supply.state import LotRow, UnitRow


@dataclass(frozen=True, slots=True, kw_only=True)
class ParticipantLine:
    """One participant in a list; `status` is screening, failed, randomised, withdrawn or completed."""

    participant: str
    site: str
    status: str
    consented_on: str
    variant: str | None
    randomised_on: str | None
    number: str | None
    open_queries: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineLine:
    """A planned or unscheduled encounter; dates are None until the anchor is known. `status` adds due and
    planned.
    """

    encounter: str
    name: str
    target: date | None
    opens: date | None
    closes: date | None
    took_place_on: str | None
    status: str
    forms_due: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordLine:
    """A filled form as the viewer may see it; `entered` gives ledger position and time of each value."""

    form: str
    encounter: str
    row: int
    dated: str | None
    values: Mapping[str, Any]
    entered: Mapping[str, Any]
    removed: bool
    verified: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditLine:
    """One line of the audit trail."""

    position: int
    recorded_at: str
    account: str
    role: str
    site: str | None
    kind: str
    clinical_time: str | None
    reason: str | None
    content: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskLine:
    """A scan to read, under a code that says nothing about whose it is or when it was made."""

    task: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteLine:
    """Recruitment at one site."""

    site: str
    status: str
    consented: int
    failed: int
    randomised: int
    withdrawn: int
    completed: int


class MaskedView:
    """What a role may see that must not learn the allocation."""

    def __init__(self, definition: StudyDefinition, tables: Tables, ledger: Ledger, viewer: Viewer) -> None:
        self._definition = definition
        self._tables = tables
        self._ledger = ledger
        self.viewer = viewer

    def trial(self) -> TrialRow:
        """Return the state of the trial as a whole."""
        return next(self._tables.all(TrialRow))

    def participants(self) -> tuple[ParticipantLine, ...]:
        """List the participants within the viewer's scope, by code."""
        self._need(Audience.CONDUCT)
        return tuple(
            self._participant_line(row)
            for row in self._tables.all(ParticipantRow)
            if self.viewer.sees_participant(row.participant)
        )

    def sites(self) -> tuple[SiteLine, ...]:
        """Count recruitment for each activated site; only the viewer's own when they belong to one."""
        self._need(Audience.TRIAL)
        return tuple(
            self._site_line(row)
            for row in self._tables.all(SiteRow)
            if self.viewer.site is None or row.site == self.viewer.site
        )

    def timeline(self, participant: str, today: date) -> tuple[TimelineLine, ...]:
        """List a participant's encounters, planned and unscheduled, with what is due on a day."""
        self._need_participant(participant)
        anchors = anchors_of(self._tables, participant)
        rows = {row.encounter: row for row in self._tables.where(EncounterRow, participant=participant)}
        planned = [
            self._timeline_line(e, rows.get(e.id), anchors.get(e.anchor), today, participant)
            for e in self._definition.schedule.encounters
        ]
        known = {e.id for e in self._definition.schedule.encounters}
        extra = [
            TimelineLine(
                encounter=row.encounter,
                name=row.encounter.replace("_", " ").capitalize(),
                target=None,
                opens=None,
                closes=None,
                took_place_on=row.took_place_on,
                status=row.status,
                forms_due=(),
            )
            for row in rows.values()
            if row.encounter not in known
        ]
        return (*planned, *extra)

    def records(self, participant: str) -> tuple[RecordLine, ...]:
        """List a participant's filled forms, without items that would unmask."""
        self._need_participant(participant)
        return tuple(
            self._record_line(row)
            for row in self._tables.where(RecordRow, participant=participant)
            if not self._hides_form(row.form)
        )

    def log_reviews(self, participant: str) -> tuple[LogRow, ...]:
        """List the dates through which logs were confirmed complete."""
        self._need_participant(participant)
        rows = self._tables.where(LogRow, participant=participant)
        return tuple(row for row in rows if not self._hides_form(row.form))

    def eligibility(self, participant: str) -> tuple[AssessmentRow, ...]:
        """List the frozen assessments of a participant, one for each screening."""
        self._need_participant(participant)
        rows = self._tables.all(AssessmentRow)
        return tuple(row for row in rows if row.participant == participant)

    def explain_eligibility(self, participant: str, on: date) -> Mapping[str, Explanation]:
        """Explain every criterion in force, as of a day: met, not met or unknown, and from which items.

        A criterion that reads what would unmask is left out for those who must not see that.
        """
        self._need_participant(participant)
        row = self._tables.require(ParticipantRow, participant)
        evidence = evidence_of(self._definition, self._tables, participant, on)
        rules = self._definition.eligibility.rules_for(row.variant, on)
        return {
            rule.id: explain(rule.when, evidence)
            for rule in rules
            if rule.when is not None and not self._hides_condition(rule.when)
        }

    def queries(self) -> tuple[QueryRow, ...]:
        """List the queries within the viewer's scope."""
        self._need(Audience.CONDUCT)
        return tuple(
            row
            for row in self._tables.all(QueryRow)
            if self.viewer.sees_participant(row.participant) and self._shows(row)
        )

    def adverse_events(self) -> tuple[EventRow, ...]:
        """List the adverse events as judged."""
        self._need(Audience.CONDUCT)
        return tuple(
            row for row in self._tables.all(EventRow) if self.viewer.sees_participant(row.participant)
        )

    def clocks(self) -> tuple[ClockRow, ...]:
        """List the safety clocks."""
        self._need(Audience.CONDUCT)
        return tuple(
            row for row in self._tables.all(ClockRow) if self.viewer.sees_participant(row.participant)
        )

    def signatures(self, participant: str) -> tuple[SignatureRow, ...]:
        """List the signatures on a casebook."""
        self._need_participant(participant)
        return tuple(self._tables.where(SignatureRow, participant=participant))

    def unblindings(self) -> tuple[UnblindingRow, ...]:
        """List who learned an allocation early, when and why; never what it was."""
        self._need(Audience.CONDUCT)
        return tuple(
            row for row in self._tables.all(UnblindingRow) if self.viewer.sees_participant(row.participant)
        )

    def scans(self) -> tuple[ScanRow, ...]:
        """List the scans and where they stand."""
        self._need(Audience.READING)
        return tuple(
            row for row in self._tables.all(ScanRow) if self.viewer.sees_participant(row.participant)
        )

    def readings(self) -> tuple[ReadingRow, ...]:
        """List the final readings."""
        self._need(Audience.READING)
        return tuple(
            row for row in self._tables.all(ReadingRow) if self.viewer.sees_participant(row.participant)
        )

    def reading_tasks(self) -> tuple[TaskLine, ...]:
        """List what a reader may read, in the scrambled order of the codes; the adjudicator's queue
        likewise.
        """
        if self.viewer.role.kind not in ("reader", "adjudicator"):
            raise self._refused("the reading queue")
        tasks: tuple[TaskRow, ...] = tuple(reading_queue(self._tables, self.viewer.actor.account))
        adjudicates = self.viewer.role.kind == "adjudicator"
        return tuple(TaskLine(task=task.task) for task in tasks if (task.slot == 0) == adjudicates)

    def audit(self, participant: str | None = None) -> Iterator[AuditLine]:
        """Iterate over the audit trail, of one participant or of all, as far as the viewer may see it."""
        for entry in self._ledger.read():
            if self._sees(entry) and (participant is None or entry.content.get("participant") == participant):
                yield AuditLine(
                    position=entry.position,
                    recorded_at=entry.recorded_at,
                    account=entry.actor,
                    role=entry.role,
                    site=entry.site,
                    kind=entry.kind,
                    clinical_time=entry.clinical_time,
                    reason=entry.reason,
                    content=self._shown(entry.content),
                )

    def cut(self, position: int | None = None) -> DataCut:
        """Return the data as they stand, or stood at a position of the ledger, without any allocation."""
        return self._cut(position, None)

    def _cut(self, position: int | None, arm_of: Callable[[Tables, str], str] | None) -> DataCut:
        self._need(Audience.CONDUCT)
        self._need(Audience.READING)
        if self.viewer.site is not None:
            raise self._refused("the data of all sites")
        return cut_trial(self._definition, self._ledger, position, arm_of)

    @property
    def _hides_unmasking(self) -> bool:
        return Audience.PRODUCT not in self.viewer.audiences

    def _sees(self, entry: Entry) -> bool:
        in_scope = self.viewer.site is None or entry.site is None or entry.site == self.viewer.site
        return in_scope and KINDS[entry.kind].audience in self.viewer.audiences

    def _shown(self, content: Mapping[str, Any]) -> Mapping[str, Any]:
        # An item may have been recorded before the definition marked it as unmasking.
        form = content.get("form")
        if not self._hides_unmasking or not isinstance(form, str):
            return content
        values = content.get("item_values")
        if values is not None:
            shown = visible_values(self._definition, form, values, masked=True)
            return {**content, "item_values": shown}
        item = str(content.get("item"))
        if "after" not in content or visible_values(self._definition, form, {item: None}, masked=True):
            return content
        return {name: value for name, value in content.items() if name not in ("before", "after")}

    def _need(self, audience: Audience) -> None:
        if audience not in self.viewer.audiences:
            raise self._refused(audience.value)

    def _need_participant(self, participant: str) -> None:
        self._need(Audience.CONDUCT)
        exists = self._tables.get(ParticipantRow, participant) is not None
        if not exists or not self.viewer.sees_participant(participant):
            raise Refused(
                Refusal(
                    "ACC-PARTICIPANT",
                    f"The role {self.viewer.role.id} sees no participant {participant}.",
                    "Check the code, and the site that you act for.",
                )
            )

    def _refused(self, what: str) -> Refused:
        return Refused(
            Refusal(
                "ACC-UNSEEN",
                f"The role {self.viewer.role.id} does not see {what}.",
                "Ask somebody whose role does.",
            )
        )

    def _hides_form(self, form_id: str) -> bool:
        form = self._definition.form(form_id)
        return self._hides_unmasking and form is not None and form.unmasking

    def _hides_condition(self, condition: Node) -> bool:
        return self._hides_unmasking and looks_at_unmasking(self._definition, condition)

    def _shows(self, query: QueryRow) -> bool:
        return not (query.unmasking and self._hides_unmasking)

    def _participant_line(self, row: ParticipantRow) -> ParticipantLine:
        allocated = self._tables.get(AllocationRow, row.participant)
        queries = self._tables.where(QueryRow, participant=row.participant)
        randomised = allocated is not None and row.status == "screening"
        return ParticipantLine(
            participant=row.participant,
            site=row.site,
            status="randomised" if randomised else row.status,
            consented_on=row.consented_on,
            variant=row.variant,
            randomised_on=allocated.randomised_on if allocated else None,
            number=allocated.number if allocated else None,
            open_queries=sum(query.status != "closed" for query in queries if self._shows(query)),
        )

    def _site_line(self, row: SiteRow) -> SiteLine:
        people = self._tables.where(ParticipantRow, site=row.site)
        states = [person.status for person in people]
        allocated = sum(self._tables.get(AllocationRow, person.participant) is not None for person in people)
        return SiteLine(
            site=row.site,
            status=row.status,
            consented=len(people),
            failed=states.count("failed"),
            randomised=allocated,
            withdrawn=states.count("withdrawn"),
            completed=states.count("completed"),
        )

    def _timeline_line(
        self, planned: Encounter, row: EncounterRow | None, anchor: date | None, today: date, participant: str
    ) -> TimelineLine:
        target = anchor + timedelta(days=planned.day) if anchor else None
        opens = target - timedelta(days=planned.early_days) if target else None
        closes = target + timedelta(days=planned.late_days) if target else None
        if row is not None:
            status = row.status
        elif opens is None or closes is None or today < opens:
            status = "planned"
        else:
            status = "due" if today <= closes else "overdue"
        took_place = row is not None and row.status != "missed"
        filled = {
            r.form
            for r in self._tables.where(RecordRow, participant=participant)
            if r.encounter == planned.id
        }
        planned_forms = self._definition.schedule.forms_at(planned.id) if took_place else ()
        forms = [form for form in planned_forms if not self._hides_form(form)]
        return TimelineLine(
            encounter=planned.id,
            name=planned.name,
            target=target,
            opens=opens,
            closes=closes,
            took_place_on=row.took_place_on if row else None,
            status=status,
            forms_due=tuple(form for form in forms if form not in filled and form not in self._elsewhere),
        )

    @property
    def _elsewhere(self) -> frozenset[str]:
        # Forms that a room other than capture fills are never due at the site's desk.
        forms = {self._definition.imaging.read_form} if self._definition.imaging else set()
        for product in self._definition.supply.products:
            forms |= {
                f for f in (product.source_form, product.manufacture_form, product.administration_form) if f
            }
        return frozenset(forms)

    def _record_line(self, row: RecordRow) -> RecordLine:
        form = self._definition.form(row.form)
        values = visible_values(self._definition, row.form, row.item_values, masked=self._hides_unmasking)
        shown = set(values) if form is not None else set()
        return RecordLine(
            form=row.form,
            encounter=row.encounter,
            row=row.row,
            dated=row.dated,
            values=values,
            entered={item: place for item, place in row.entered.items() if item in shown},
            removed=row.removed,
            verified=row.verified,
        )


class UnmaskedView(MaskedView):
    """What a role may see that works with the allocation, or anybody after the planned unblinding."""

    def __init__(
        self,
        definition: StudyDefinition,
        tables: Tables,
        ledger: Ledger,
        viewer: Viewer,
        arm_of: Callable[[Tables, str], str],
    ) -> None:
        super().__init__(definition, tables, ledger, viewer)
        self._arm_of = arm_of

    def arm(self, participant: str) -> str:
        """Return the arm of a randomised participant within the viewer's scope."""
        self._need(Audience.UNMASKED)
        if not self.viewer.sees_participant(participant):
            raise self._refused(f"the participant {participant}")
        if self._tables.get(AllocationRow, participant) is None:
            raise self._refused(f"an allocation of {participant}")
        return self._arm_of(self._tables, participant)

    def arms(self) -> Mapping[str, str]:
        """Map every randomised participant within the viewer's scope to their arm."""
        self._need(Audience.UNMASKED)
        rows = self._tables.all(AllocationRow)
        return {
            row.participant: self._arm_of(self._tables, row.participant)
            for row in rows
            if self.viewer.sees_participant(row.participant)
        }

    def cut(self, position: int | None = None) -> DataCut:
        """Return the data as they stand, or stood at a position of the ledger, with every arm."""
        self._need(Audience.UNMASKED)
        return self._cut(position, self._arm_of)

    def lots(self) -> tuple[LotRow, ...]:
        """List the lots."""
        self._need(Audience.PRODUCT)
        return tuple(row for row in self._tables.all(LotRow) if self.viewer.sees_participant(row.participant))

    def units(self) -> tuple[UnitRow, ...]:
        """List the units."""
        self._need(Audience.PRODUCT)
        return tuple(
            row for row in self._tables.all(UnitRow) if self.viewer.sees_participant(row.participant)
        )
