"""A data cut: the trial as it stood at one position of the ledger, as the analysis reads it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from equipoise.definition.amendments import Change
from equipoise.definition.expression import FormRow
from equipoise.definition.model.definition import StudyDefinition
from equipoise.definition.model.study import Study


def is_closed(study: Study, unblinded_at: str | None, *, shows_arms: bool) -> bool:
    """Tell whether what shows the arms of a trial shows what is masked for others until the unblinding."""
    return study.randomised and bool(study.masking.parties) and shows_arms and unblinded_at is None


@dataclass(frozen=True, slots=True, kw_only=True)
class CutEncounter:
    """An encounter as it went; `status` is in_window, early, late, missed or unscheduled.

    `not_asked` are forms of the definition that the version which held at its time did not ask for there.
    """

    encounter: str
    status: str
    took_place_on: date | None
    days_off: int
    cause: str | None
    not_asked: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CutAdministration:
    """A unit that was given. Which intervention it held follows from the arm, hence is not here."""

    product: str
    encounter: str
    epoch: str
    given_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class CutRenewal:
    """A renewed consent: to which version of the consent form, and on which day."""

    consent_version: str
    consented_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class CutParticipant:
    """One participant with all that is recorded of them.

    `arm` is None in a masked cut and for those who were not randomised. `rows` holds every form record, with
    final central readings under the read form. `status` is screening, failed, randomised, withdrawn or
    completed. `criteria` is the last eligibility assessment (criterion: met, not_met or unknown).
    `consented_on` is the day of the first consent.
    """

    participant: str
    site: str
    country: str
    sub_trial: str | None
    variant: str | None
    status: str
    consented_on: date
    randomised_on: date | None
    arm: str | None
    ended_on: date | None
    end_scope: str | None
    end_cause: str | None
    screening_outcome: str | None
    criteria: Mapping[str, str]
    rows: tuple[FormRow, ...]
    encounters: tuple[CutEncounter, ...]
    administrations: tuple[CutAdministration, ...]
    reviewed: Mapping[str, date]
    failed_lots: tuple[str, ...] = ()
    unblindings: tuple[str, ...] = ()
    renewals: tuple[CutRenewal, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CutAmendment:
    """A version of the study that was brought in while the trial ran, and what it changed.

    `randomised` were so before it, at all sites.
    """

    study_version: str
    title: str
    recorded_on: date
    randomised: int
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DataCut:
    """The whole trial at one position. `masked` cuts hold no arm at all, whoever asks.

    `head` is the chain's hash at `position`; `mode` is live or rehearsal; `counts` are trial-wide tallies
    such as queries, corrections, double-read disagreements, by name.
    """

    definition: StudyDefinition
    participants: tuple[CutParticipant, ...]
    masked: bool
    mode: str
    position: int
    head: str
    recorded_at: str
    locked_at: str | None
    unblinded_at: str | None
    counts: Mapping[str, int] = field(default_factory=dict)
    amendments: tuple[CutAmendment, ...] = ()

    @property
    def closed(self) -> bool:
        """Whether it holds the arms of a masked trial before its unblinding."""
        return is_closed(self.definition.study, self.unblinded_at, shows_arms=not self.masked)
