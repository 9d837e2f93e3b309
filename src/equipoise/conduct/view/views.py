"""The two views. Each method names what may be asked for; the module of its part says how it is found."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from typing import Any

from equipoise.access.content import Audience
from equipoise.access.visibility import Viewer
from equipoise.allocation.state import AllocationRow, UnblindingRow
from equipoise.analysis.cut import DataCut
from equipoise.capture.state import LogRow, QueryRow, SignatureRow
from equipoise.coding.decide import Coder
from equipoise.coding.state import DictionaryRow
from equipoise.conduct.cut import cut_trial, replay
from equipoise.conduct.readiness import OpenMatter
from equipoise.conduct.trail import AuditLine, Trail
from equipoise.conduct.versions import Versions
from equipoise.conduct.view import (
    audit,
    casebook,
    coding,
    governance,
    imaging,
    participants,
    records,
    reviews,
    safety,
    supply,
    texts,
    verification,
    visits,
)
from equipoise.conduct.view.lines import (
    AgreementLine,
    CheckedForm,
    ClockLine,
    CodingLine,
    CodingProposals,
    DisputeLine,
    DoneTaskLine,
    DueLine,
    FreezeLine,
    GrantLine,
    IdentityLine,
    ItemLine,
    MilestoneLine,
    MissingFormLine,
    MissingScanLine,
    ParticipantLine,
    PreparationLine,
    ProductLine,
    ReconsentLine,
    RecordLine,
    RecruitmentLine,
    ScanLine,
    SignatureLine,
    SiteLine,
    SiteStatusLine,
    TaskLine,
    TermLine,
    TimelineLine,
    UnitLabelLine,
    VersionLine,
    WindowLine,
)
from equipoise.conduct.view.outdated_lines import OutdatedCodings
from equipoise.conduct.view.releases import ReleaseLine, list_definitions, list_releases
from equipoise.conduct.view.reviews import ReviewLine
from equipoise.conduct.view.scope import Scope
from equipoise.conduct.view.texts import TextLine
from equipoise.conduct.view.verification import VerificationLine
from equipoise.definition.amendments import Change
from equipoise.definition.coded import DictionaryName
from equipoise.definition.expression import Explanation
from equipoise.definition.model.definition import StudyDefinition
from equipoise.enrolment.state import AssessmentRow
from equipoise.governance.state import TrialRow
from equipoise.imaging.state import ReadingRow, ScanRow
from equipoise.ledger.entry import Head
from equipoise.ledger.protocol import Ledger
from equipoise.ledger.tables import Tables
from equipoise.safety.state import ClockRow, EventRow
from equipoise.supply.state import LotRow, UnitRow


class MaskedView:
    """What a role may see that must not learn the allocation."""

    def __init__(
        self,
        versions: Versions,
        tables: Tables,
        ledger: Ledger,
        trail: Trail,
        viewer: Viewer,
        coder: Coder,
    ) -> None:
        self._scope = Scope(
            definition=versions.at(tables, viewer.site),
            versions=versions,
            tables=tables,
            trail=trail,
            viewer=viewer,
            coder=coder,
        )
        self._ledger = ledger
        self.viewer = viewer

    # -- the trial as a whole

    def trial(self) -> TrialRow:
        """Return the state of the trial as a whole."""
        return next(self._scope.tables.all(TrialRow))

    def sites(self) -> tuple[SiteLine, ...]:
        """Count recruitment for each activated site; only the viewer's own when they belong to one."""
        return governance.list_sites(self._scope)

    def all_sites(self) -> tuple[SiteStatusLine, ...]:
        """List the sites of the study, also those not activated; the viewer's own when they belong to one."""
        return governance.list_all_sites(self._scope)

    def recruitment(self) -> RecruitmentLine:
        """Return the days of consent and randomisation at each activated site, and what was planned."""
        return governance.read_recruitment(self._scope)

    def versions(self) -> tuple[VersionLine, ...]:
        """List the versions of the study, the first of them first, with the sites at which each holds."""
        return governance.list_versions(self._scope)

    def releases(self) -> tuple[ReleaseLine, ...]:
        """List which version held from when on at each site; the viewer's own when they belong to one."""
        return list_releases(self._scope)

    def definitions(self) -> tuple[StudyDefinition, ...]:
        """List the definitions of the versions of the study, the first of them first."""
        return list_definitions(self._scope)

    def changes(self, number: int | None = None) -> tuple[Change, ...]:
        """List what the version with a number changed in the one before it; without a number, the latest."""
        return governance.list_changes(self._scope, number)

    def reconsents(self) -> tuple[ReconsentLine, ...]:
        """List the participants within the viewer's scope who are to consent anew."""
        return governance.list_reconsents(self._scope)

    def grants(self) -> tuple[GrantLine, ...]:
        """List the delegation log; who belongs to a site sees its own and the roles that span the trial."""
        return governance.list_grants(self._scope)

    def permitted_commands(self) -> tuple[str, ...]:
        """Return the names of the commands that the viewer's role may give at all."""
        return governance.list_commands(self._scope)

    def milestones(self) -> tuple[MilestoneLine, ...]:
        """List the steps of the trial as a whole, from its opening on."""
        return governance.list_milestones(self._scope, self._ledger)

    def head(self) -> Head:
        """Return the head of the chain in the state that this view shows."""
        return governance.read_head(self._scope, self._ledger)

    def readiness(self) -> tuple[OpenMatter, ...]:
        """List what is still open before the lock, within the viewer's scope."""
        return governance.list_readiness(self._scope)

    def reviews(self, today: date) -> tuple[ReviewLine, ...]:
        """List the reviews of the audit trail, of access and of data, and those that are overdue on a day."""
        return reviews.list_reviews(self._scope, today)

    # -- participants

    def participants(self) -> tuple[ParticipantLine, ...]:
        """List the participants within the viewer's scope, by code."""
        return participants.list_participants(self._scope)

    def participant(self, participant: str) -> ParticipantLine:
        """Return one participant within the viewer's scope."""
        return participants.find_participant(self._scope, participant)

    def freezes(self) -> tuple[FreezeLine, ...]:
        """List the participants whose data are closed for entry."""
        return participants.list_freezes(self._scope)

    def eligibility(self, participant: str) -> tuple[AssessmentRow, ...]:
        """List the frozen assessments of a participant, one for each screening."""
        return participants.list_assessments(self._scope, participant)

    def explain_eligibility(self, participant: str, on: date) -> Mapping[str, Explanation]:
        """Explain every criterion in force, as of a day: met, not met or unknown, and from which items.

        A criterion that reads what would unmask is left out for those who must not see that.
        """
        return participants.explain_criteria(self._scope, participant, on)

    # -- what is planned

    def timeline(self, participant: str, today: date) -> tuple[TimelineLine, ...]:
        """List a participant's encounters, planned and unscheduled, with what is due on a day."""
        return visits.list_timeline(self._scope, participant, today)

    def due(self, today: date) -> tuple[DueLine, ...]:
        """List what is to be done: encounters that are due or overdue, and forms of those that took place."""
        return visits.list_due(self._scope, today)

    def missing_forms(self) -> tuple[MissingFormLine, ...]:
        """List the forms that are not filled in although their encounter took place."""
        return visits.list_missing_forms(self._scope)

    def out_of_window(self) -> tuple[WindowLine, ...]:
        """List the planned encounters that were missed, or took place outside their window."""
        return visits.list_out_of_window(self._scope)

    # -- what was filled in

    def records(self, participant: str) -> tuple[RecordLine, ...]:
        """List a participant's filled forms, without items that would unmask."""
        return records.list_records(self._scope, participant)

    def record(
        self, participant: str, form: str, encounter: str | None = None, row: int | None = None
    ) -> RecordLine | None:
        """Return one filled form: a row of a repeating form by its number, another by its encounter."""
        return records.find_line(self._scope, participant, form, encounter, row)

    def item_history(
        self,
        participant: str,
        form: str,
        item: str,
        encounter: str | None = None,
        row: int | None = None,
    ) -> tuple[ItemLine, ...]:
        """List every value that an item of one filled form was given, with who gave it, when and why.

        Raises Refused with ACC-ITEM for an item that the viewer may not see, as for one that is not there.
        """
        return records.list_item_history(self._scope, participant, form, item, encounter, row)

    def check_answers(
        self,
        participant: str,
        form: str,
        values: Mapping[str, Any],
        today: date,
        encounter: str | None = None,
        row: int | None = None,
    ) -> CheckedForm:
        """Check answers to a form as recording them would, and say which questions are asked."""
        return casebook.check_answers(self._scope, participant, form, values, today, encounter, row)

    def verification(self) -> tuple[VerificationLine, ...]:
        """Count each participant's forms and answers to compare with their source, and those that were."""
        return verification.list_verification(self._scope)

    def corrections(self) -> Mapping[str, int]:
        """Count the corrections of each participant, of those items that the viewer may see."""
        return records.count_corrections(self._scope)

    def log_reviews(self, participant: str) -> tuple[LogRow, ...]:
        """List the dates through which logs were confirmed complete."""
        return records.list_log_reviews(self._scope, participant)

    def queries(self) -> tuple[QueryRow, ...]:
        """List the queries within the viewer's scope."""
        return records.list_queries(self._scope)

    def signatures(self, participant: str) -> tuple[SignatureRow, ...]:
        """List the signatures on a casebook."""
        return records.list_signatures(self._scope, participant)

    def casebook_hash(self, participant: str) -> str:
        """Return the hash that a signature of the viewer's on a casebook would name."""
        return casebook.hash_casebook(self._scope, participant)

    def signature_lines(self, participant: str) -> tuple[SignatureLine, ...]:
        """List the signatures on a casebook, with who signed as what and whether they still hold."""
        return casebook.list_signature_lines(self._scope, participant)

    # -- coding

    def dictionaries(self) -> tuple[DictionaryRow, ...]:
        """List the versions of dictionaries that were added, in the order of adding."""
        return coding.list_dictionaries(self._scope)

    def coding(self) -> tuple[CodingLine, ...]:
        """List the words that are to be coded within the viewer's scope, with what was chosen for them."""
        return coding.list_coding(self._scope)

    def coding_proposals(self, dictionary: DictionaryName) -> CodingProposals:
        """Return what a dictionary proposes for the words that are not coded; for those who code."""
        return coding.list_proposals(self._scope, dictionary)

    def outdated_codings(self, dictionary: DictionaryName) -> OutdatedCodings:
        """Return the codings with earlier versions, and what became of their terms; for those who code."""
        return coding.list_outdated(self._scope, dictionary)

    def dictionary_terms(self, dictionary: DictionaryName, words: str | None = None) -> tuple[TermLine, ...]:
        """List the terms to choose from for some words, the likeliest first; for those who code."""
        return coding.list_terms(self._scope, dictionary, words)

    # -- safety

    def adverse_events(self) -> tuple[EventRow, ...]:
        """List the adverse events as judged."""
        return safety.list_events(self._scope)

    def clocks(self) -> tuple[ClockRow, ...]:
        """List the safety clocks."""
        return safety.list_clocks(self._scope)

    def clock_states(self, now: datetime) -> tuple[ClockLine, ...]:
        """List the safety clocks as they stand at a moment, in the order in which they are due."""
        return safety.list_clock_states(self._scope, now)

    def overdue_clocks(self, now: datetime) -> tuple[ClockLine, ...]:
        """List the clocks that still run although their deadline is over, the longest overdue first."""
        return safety.list_overdue_clocks(self._scope, now)

    def unblindings(self) -> tuple[UnblindingRow, ...]:
        """List who learned an allocation early, when and why; never what it was."""
        return safety.list_unblindings(self._scope)

    # -- scans

    def scans(self) -> tuple[ScanRow, ...]:
        """List the scans and where they stand."""
        return imaging.list_scans(self._scope)

    def readings(self) -> tuple[ReadingRow, ...]:
        """List the final readings."""
        return imaging.list_readings(self._scope)

    def scan_log(self) -> tuple[ScanLine, ...]:
        """List the scans with when they arrived and whether their quality did; nothing of the reading."""
        return imaging.list_scan_log(self._scope)

    def missing_scans(self) -> tuple[MissingScanLine, ...]:
        """List the encounters that took place and whose planned scan is not there."""
        return imaging.list_missing_scans(self._scope)

    def reading_agreement(self) -> tuple[AgreementLine, ...]:
        """Count, for each compared item, the scans whose independent readings agree."""
        return imaging.list_agreement(self._scope)

    def my_readings(self) -> tuple[DoneTaskLine, ...]:
        """List the tasks that this reader, or adjudicator, has done, under their codes."""
        return imaging.list_my_readings(self._scope)

    def reading_tasks(self) -> tuple[TaskLine, ...]:
        """List what a reader may read, in the scrambled order of the codes; the adjudicator's queue
        likewise.
        """
        return imaging.list_tasks(self._scope)

    def dispute(self, task: str) -> DisputeLine:
        """Return the readings between which an adjudicator has to decide, for a task in their queue only."""
        return imaging.read_dispute(self._scope, task)

    def scan_file(self, task: str) -> str | None:
        """Return the SHA-256 of the file to read for a task of this reader's, or adjudicator's, queue, or one
        that they did; None where the scan came without a file.
        """
        return imaging.find_task_file(self._scope, task)

    def received_file(self, scan: str) -> str | None:
        """Return the SHA-256 of a scan's file, to check its quality; None where it came without one."""
        return imaging.find_received_file(self._scope, scan)

    # -- the whole course

    def audit(
        self,
        participant: str | None = None,
        after: int | None = None,
        limit: int | None = None,
        *,
        newest_first: bool = False,
    ) -> Iterator[AuditLine]:
        """Iterate over the audit trail, of one participant or of all, as far as the viewer may see it.

        A page begins after the line at the position `after`, in the order asked for, and has at most `limit`
        lines.
        """
        return audit.list_audit(self._scope, participant, after, limit, newest_first=newest_first)

    def texts(self, position: int) -> tuple[TextLine, ...]:
        """List the free texts of the entry at a position that can be blotted out, as far as they are seen."""
        return texts.list_texts(self._scope, position)

    def cut(self, position: int | None = None) -> DataCut:
        """Return the data as they stand, or stood at a position of the ledger, without any allocation."""
        return self._cut(position, None)

    def participant_cut(self, participant: str) -> DataCut:
        """Return the data of one participant as they stand: a report of what befell them needs no more.

        Central readings are in it for those who see them, the arm for those who see that. Raises Refused for
        a participant whom the viewer does not see.
        """
        return participants.cut_participant(self._scope, self._ledger, participant, None)

    def _cut(self, position: int | None, arm_of: Callable[[Tables, str], str] | None) -> DataCut:
        self._scope.need(Audience.CONDUCT)
        self._scope.need(Audience.READING)
        if self.viewer.site is not None:
            raise self._scope.refused("the data of all sites")
        return cut_trial(self._scope.versions, replay(self._ledger, position), arm_of)


class UnmaskedView(MaskedView):
    """What a role may see that works with the allocation, or anybody after the planned unblinding."""

    def __init__(
        self,
        versions: Versions,
        tables: Tables,
        ledger: Ledger,
        trail: Trail,
        viewer: Viewer,
        coder: Coder,
        arm_of: Callable[[Tables, str], str],
    ) -> None:
        super().__init__(versions, tables, ledger, trail, viewer, coder)
        self._arm_of = arm_of

    def arm(self, participant: str) -> str:
        """Return the arm of a randomised participant within the viewer's scope."""
        self._scope.need(Audience.UNMASKED)
        if not self.viewer.sees_participant(participant):
            raise self._scope.refused(f"the participant {participant}")
        if self._scope.tables.get(AllocationRow, participant) is None:
            raise self._scope.refused(f"an allocation of {participant}")
        return self._arm_of(self._scope.tables, participant)

    def arms(self) -> Mapping[str, str]:
        """Map every randomised participant within the viewer's scope to their arm."""
        self._scope.need(Audience.UNMASKED)
        rows = self._scope.tables.all(AllocationRow)
        return {
            row.participant: self._arm_of(self._scope.tables, row.participant)
            for row in rows
            if self.viewer.sees_participant(row.participant)
        }

    def cut(self, position: int | None = None) -> DataCut:
        """Return the data as they stand, or stood at a position of the ledger, with every arm."""
        self._scope.need(Audience.UNMASKED)
        return self._cut(position, self._arm_of)

    def participant_cut(self, participant: str) -> DataCut:
        """Return the data of one participant as they stand, with their arm for those who see it."""
        knows = Audience.UNMASKED in self._scope.viewer.audiences
        arm_of = self._arm_of if knows else None
        return participants.cut_participant(self._scope, self._ledger, participant, arm_of)

    def lots(self) -> tuple[LotRow, ...]:
        """List the lots."""
        return supply.list_lots(self._scope)

    def units(self) -> tuple[UnitRow, ...]:
        """List the units."""
        return supply.list_units(self._scope)

    def products(self, participant: str) -> tuple[ProductLine, ...]:
        """List each product at each encounter where it is given, with its lot and its unit."""
        randomised = self._scope.tables.get(AllocationRow, participant) is not None
        knows = randomised and Audience.UNMASKED in self.viewer.audiences
        seen = knows and self.viewer.sees_participant(participant)
        arm = self._arm_of(self._scope.tables, participant) if seen else None
        return supply.list_products(self._scope, participant, arm)

    def preparations(self) -> tuple[PreparationLine, ...]:
        """List the units that are still to be made up, with what goes into each and when it is due."""
        return supply.list_preparations(self._scope, self.arms())

    def explain_release(self, lot: str, on: date) -> Mapping[str, Explanation]:
        """Explain every release criterion of a lot, as of a day: met, not met or unknown."""
        return supply.explain_release(self._scope, lot, on)

    def unit_labels(self) -> tuple[UnitLabelLine, ...]:
        """List what stands on every container: number, participant, encounter, day of preparation."""
        return supply.list_labels(self._scope)

    def chain_of_identity(self, unit: str) -> tuple[IdentityLine, ...]:
        """List the steps of one unit, from the collection of its lot to the participant."""
        return supply.list_identity(self._scope, unit)
