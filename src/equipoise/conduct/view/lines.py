"""What views return: frozen lines that hold what a viewer may see and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from equipoise.conduct.view.verification import SourceMark
from equipoise.definition.recording import ItemProblem


@dataclass(frozen=True, slots=True, kw_only=True)
class ParticipantLine:
    """One participant in a list; `status` is screening, failed, randomised, withdrawn or completed.

    `signed` says that the casebook still is what was signed last. `end_scope` is treatment, study or consent
    for who withdrew; with treatment they go on to be followed.
    """

    participant: str
    site: str
    status: str
    consented_on: str
    consent_version: str
    variant: str | None
    randomised_on: str | None
    number: str | None
    open_queries: int
    frozen: bool
    signed: bool
    ended_on: str | None
    end_scope: str | None
    end_cause: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineLine:
    """A planned or unscheduled encounter; dates are None until the anchor is known. `status` adds due,
    overdue and planned. `days_off` counts from the planned day; `cause` is that of a missed or an unscheduled
    one.
    """

    encounter: str
    name: str
    target: date | None
    opens: date | None
    closes: date | None
    took_place_on: str | None
    status: str
    forms_due: tuple[str, ...]
    days_off: int
    cause: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordLine:
    """A filled form as the viewer may see it; `entered` gives ledger position and time of each value.

    `position` is the last at which a value that the viewer may see was entered or taken away, 0 when there is
    none: what a `CorrectForm` has `seen`. `source` says of each answer, also of one that was taken away, what
    monitoring made of it; `verified` is a form of which something is to be compared, and nothing is left.
    """

    form: str
    encounter: str
    row: int
    dated: str | None
    values: Mapping[str, Any]
    entered: Mapping[str, Any]
    removed: bool
    verified: bool
    source: Mapping[str, SourceMark]
    position: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemLine:
    """A value that an item was given, or None where it was taken away. `kind` is recorded, corrected or row
    removed, which keeps the value.
    """

    position: int
    recorded_at: str
    account: str
    role: str
    kind: str
    value: str | int | bool | None
    reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingLine:
    """An edit check that answers do not pass: `item` is None if it looks at several; a hard one refuses."""

    check: str
    item: str | None
    text: str
    hard: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedForm:
    """What recording these answers would meet, as far as the viewer may know.

    `asked` maps each question that has a condition to whether it holds: met, not met or unknown.
    """

    problems: tuple[ItemProblem, ...]
    findings: tuple[FindingLine, ...]
    asked: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class SignatureLine:
    """A signature on a casebook; `holds` says that the casebook still is what was signed."""

    position: int
    account: str
    role: str
    meaning: str
    signed_at: str
    signed_hash: str
    holds: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FreezeLine:
    """A participant whose data are closed for entry, since when and by whom."""

    participant: str
    frozen_at: str
    frozen_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DueLine:
    """What is to be done for a participant on a day: an encounter, or forms of one that took place.

    `status` is due or overdue for an encounter, else that of the encounter that took place.
    """

    participant: str
    encounter: str
    name: str
    status: str
    opens: date | None
    closes: date | None
    took_place_on: str | None
    forms_due: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingFormLine:
    """A form that an encounter which took place asked for, and that is not filled in."""

    participant: str
    encounter: str
    took_place_on: str
    form: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowLine:
    """A planned encounter that was missed, or took place early or late; `days_off` from its planned day."""

    participant: str
    encounter: str
    status: str
    took_place_on: str | None
    days_off: int
    cause: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CodingLine:
    """Words that are to be coded, with what was chosen for them last.

    `status` is uncoded, coded, or lapsed where the site changed the words after they were coded; `coded` are
    then the words for which the choice was made. `levels`, `codes` and `terms` name the hierarchy from the
    chosen term to the highest.
    """

    participant: str
    form: str
    encounter: str
    row: int
    item: str
    verbatim: str
    dictionary: str
    status: str
    coded: str | None
    version: str | None
    levels: tuple[str, ...]
    codes: tuple[str, ...]
    terms: tuple[str, ...]
    automatic: bool
    coded_by: str | None
    coded_at: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TermLine:
    """A term of a dictionary to choose, with its hierarchy; `earlier` is how often the same words got it."""

    code: str
    term: str
    levels: tuple[str, ...]
    codes: tuple[str, ...]
    terms: tuple[str, ...]
    earlier: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposalLine:
    """Words that are not coded, with the term proposed; `because` is same_words or coded_before."""

    participant: str
    form: str
    encounter: str
    row: int
    item: str
    verbatim: str
    code: str
    terms: tuple[str, ...]
    because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CodingProposals:
    """Everything that is proposed, and the hash by which `CodeMatches` says what was shown."""

    lines: tuple[ProposalLine, ...]
    shown_hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockLine:
    """A reporting deadline at a moment. `state` is running, overdue, submitted, submitted_late or stopped."""

    participant: str
    row: int
    clock: str
    title: str
    started_at: str
    due_at: str
    submitted_at: str | None
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskLine:
    """A scan to read, under a code that says nothing about whose it is or when it was made."""

    task: str
    has_file: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DoneTaskLine:
    """A task that the reader has done, under its code, and when."""

    task: str
    recorded_at: str
    has_file: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanLine:
    """A scan on its way. `status` is received, accepted or refused, and disputed or read for those who follow
    the reading; `cause` says why its quality was refused.
    """

    scan: str
    participant: str
    encounter: str
    acquired_on: str
    received_at: str
    status: str
    cause: str | None
    has_file: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingScanLine:
    """An encounter that took place, with a scan planned and none there; `refused` if one did not suffice."""

    participant: str
    encounter: str
    took_place_on: str
    refused: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DisputeLine:
    """Two or more readings of one scan that disagree in `items`; whose each is, their order does not say."""

    items: tuple[str, ...]
    readings: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreementLine:
    """In how many scans the independent readings of an item agree; of the others, how many were adjudicated
    and how many wait for it. In `unread` scans readings are missing. No value is told.
    """

    item: str
    label: str
    agree: int
    adjudicated: int
    waiting: int
    unread: int


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionLine:
    """A version of the study, and the sites at which it holds now."""

    number: int
    study_version: str
    title: str
    definition: str
    substantial: bool
    reconsent: bool
    recorded_at: str
    sites: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReconsentLine:
    """A participant who is to consent anew: what they consented to, and the version that asks for it."""

    participant: str
    consent_version: str
    study_version: str
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantLine:
    """One line of the delegation log; without a site the role spans the trial."""

    account: str
    role: str
    site: str | None
    granted_at: str
    granted_by: str
    revoked_at: str | None
    revoked_by: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MilestoneLine:
    """A step of the trial as a whole: opened, committed, published, locked, unblinded.

    `detail` is the hash of the definition, the commitment, or to whom a head was given; `head` is then that
    head's hash, which stands at the position before.
    """

    position: int
    recorded_at: str
    account: str
    kind: str
    detail: str
    head: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteStatusLine:
    """A site of the study. `status` is planned, active or closed; `study_version` is what holds there."""

    site: str
    name: str
    country: str
    status: str
    study_version: str | None
    approved_on: str | None
    activated_at: str | None
    closed_at: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteRecruitmentLine:
    """The days of consent and of randomisation at a site, each in order and without codes."""

    site: str
    activated_at: str
    consented_on: tuple[str, ...]
    randomised_on: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecruitmentLine:
    """Recruitment against plan, at the sites within the viewer's scope."""

    planned_enrolment: int
    first_activated_at: str | None
    sites: tuple[SiteRecruitmentLine, ...]


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


# -- for unmasked eyes


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductLine:
    """A product at one encounter of a participant: what it holds, and the lot and the unit there are.

    `contents` are interventions; empty before randomisation, and for those who must not know.
    """

    product: str
    name: str
    encounter: str
    contents: tuple[str, ...]
    lot: str | None
    lot_status: str | None
    unit: str | None
    unit_status: str | None
    prepared_on: str | None
    given_on: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparationLine:
    """A unit that is still to be made up for a randomised participant: what goes into it, and when it is due.

    `lot` is the participant's own, for a product that is made from them; `lot_status` says whether it may go.
    """

    participant: str
    product: str
    encounter: str
    contents: tuple[str, ...]
    opens: date | None
    target: date | None
    closes: date | None
    lot: str | None
    lot_status: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitLabelLine:
    """What stands on a container: its number and for whom and when it is, never what it holds."""

    unit: str
    product: str
    name: str
    participant: str
    encounter: str
    encounter_name: str
    lot: str | None
    prepared_on: str
    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityLine:
    """One step from the starting material to the participant, as the ledger holds it."""

    position: int
    recorded_at: str
    account: str
    role: str
    kind: str
    participant: str
    lot: str | None
    unit: str | None
    clinical_time: str | None
