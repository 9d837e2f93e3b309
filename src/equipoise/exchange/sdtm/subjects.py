"""Special purpose domains and what the trial itself records of each participant: DM, SE, SV, DS, IE, DV."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from equipoise.analysis.course import epoch_on, epoch_starts, reference_start
from equipoise.analysis.cut import CutEncounter, CutParticipant
from equipoise.analysis.derive import Frame
from equipoise.analysis.result import Deviation
from equipoise.definition.countries import alpha_3
from equipoise.definition.expression import PartialDate
from equipoise.definition.expression.values import completed_years
from equipoise.definition.sdtm.guide import TEXT_LENGTH_MAX, code_lists
from equipoise.definition.sdtm.naming import cut_text
from equipoise.exchange.datasets.model import Cell
from equipoise.exchange.sdtm.plan import CATEGORIES, Plan, arm_code

Row = dict[str, Cell]
MASKED = "MASKED"
_FULL_DATE_LENGTH = 10


@dataclass(frozen=True, slots=True)
class SeenVisit:
    """An encounter of one participant with its number, planned or not."""

    number: float
    name: str
    planned: bool
    seen: CutEncounter


class Subject:
    """A participant with the dates from which study days, epochs and visits follow."""

    def __init__(self, plan: Plan, person: CutParticipant) -> None:
        self.plan, self.person = plan, person
        self.usubjid = f"{plan.study}-{person.participant}"
        given = sorted(each.given_on for each in person.administrations)
        self.first_given = given[0] if given else None
        self.last_given = given[-1] if given else None
        self.starts = epoch_starts(plan.definition, person)
        self.reference = reference_start(plan.definition, person)
        self.visits = {each.seen.encounter: each for each in self._visits()}

    def _visits(self) -> Iterator[SeenVisit]:
        """The planned encounters by number; between two of them unscheduled ones count in hundredths."""
        after: dict[float, int] = {}
        planned = [
            (each.took_place_on, self.plan.visits[each.encounter].number)
            for each in self.person.encounters
            if each.encounter in self.plan.visits and each.took_place_on is not None
        ]
        unscheduled = [each for each in self.person.encounters if each.encounter not in self.plan.visits]
        for each in sorted(unscheduled, key=lambda found: (found.took_place_on or date.max, found.encounter)):
            day = each.took_place_on or date.max
            before = max((number for on, number in planned if on <= day), default=0.0)
            after[before] = after.get(before, 0) + 1
            number = round(before + after[before] / 100, 2)
            yield SeenVisit(number, f"UNSCHEDULED {number:g}", False, each)
        for each in self.person.encounters:
            if each.encounter in self.plan.visits:
                visit = self.plan.visits[each.encounter]
                yield SeenVisit(visit.number, cut_text(visit.name, TEXT_LENGTH_MAX), True, each)

    def day(self, dtc: Cell) -> int | None:
        """The study day of a date: 1 on the reference start date, -1 the day before; there is no day 0."""
        if self.reference is None or not isinstance(dtc, str) or len(dtc) < _FULL_DATE_LENGTH:
            return None
        days = (date.fromisoformat(dtc[:_FULL_DATE_LENGTH]) - self.reference).days
        return days + 1 if days >= 0 else days

    def epoch(self, dtc: Cell, encounter: str | None = None) -> str | None:
        """The EPOCH of a record: that of its planned encounter where it was reached, else of its day."""
        planned = self.plan.visits.get(encounter or "")
        if planned is not None and planned.encounter.epoch in self.starts:
            return self.plan.epoch_terms[planned.encounter.epoch]
        known = isinstance(dtc, str) and len(dtc) >= _FULL_DATE_LENGTH
        found = (
            epoch_on(self.starts, date.fromisoformat(dtc[:10])) if known and isinstance(dtc, str) else None
        )
        return None if found is None else self.plan.epoch_terms[found]

    def visit(self, encounter: str | None) -> Row:
        """VISITNUM, VISIT and VISITDY of a record made at an encounter."""
        found = self.visits.get(encounter or "")
        planned = self.plan.visits.get(encounter or "")
        return {
            "VISITNUM": planned.number if planned else found.number if found else None,
            "VISIT": cut_text(planned.name, TEXT_LENGTH_MAX) if planned else found.name if found else None,
            "VISITDY": planned.day if planned else None,
        }

    @property
    def ended(self) -> date | None:
        """The last day in the trial, None while participation goes on; after treatment was given up, too."""
        followed = self.person.status == "withdrawn" and self.person.end_scope == "treatment"
        return None if followed else self.person.ended_on


def iso(day: date | None) -> str | None:
    """A date as datasets hold it."""
    return None if day is None else day.isoformat()


def demographics(subject: Subject, collected: Mapping[str, Cell], died: tuple[bool, str | None]) -> Row:
    """The row of DM; `collected` are the variables that forms fill, `died` whether and when (SDTMIG 5.2)."""
    plan, person = subject.plan, subject.person
    born = collected.get("BRTHDTC")
    row: Row = {
        "USUBJID": subject.usubjid,
        "SUBJID": person.participant,
        "RFSTDTC": iso(subject.reference),
        "RFENDTC": iso(subject.ended) if subject.reference else None,
        "RFXSTDTC": iso(subject.first_given),
        "RFXENDTC": iso(subject.last_given),
        "RFICDTC": iso(person.consented_on),
        "RFPENDTC": iso(subject.ended),
        "DTHDTC": died[1],
        "DTHFL": "Y" if died[0] else None,
        "SITEID": person.site,
        "AGE": _age(born, subject.reference or person.consented_on),
        "SEX": "U",
        "COUNTRY": alpha_3(person.country),
        **collected,
        **_arms(plan, subject),
    }
    row["AGEU"] = None if row["AGE"] is None else "YEARS"
    return row


def _age(born: Cell, on: date) -> int | None:
    """Completed years; a partial date of birth is taken as its last day, so that nobody is made older."""
    if not isinstance(born, str):
        return None
    return completed_years(PartialDate.parse(born[:_FULL_DATE_LENGTH]).last, on)


def _arms(plan: Plan, subject: Subject) -> Row:
    person, study = subject.person, plan.definition.study
    arm = plan.definition.arm(person.arm or "")
    enrolled = person.randomised_on is not None or not study.randomised
    if person.status == "failed" or not enrolled:
        return {"ARMNRS": "SCREEN FAILURE" if person.status == "failed" else "NOT ASSIGNED"}
    if arm is None:
        return {"ARMNRS": MASKED}
    row: Row = {"ARMCD": arm_code(plan.definition, arm.id), "ARM": cut_text(arm.name, TEXT_LENGTH_MAX)}
    if subject.reference is None:
        return {**row, "ARMNRS": "ASSIGNED, NOT TREATED"}
    return {**row, "ACTARMCD": row["ARMCD"], "ACTARM": row["ARM"]}


def elements(subject: Subject) -> Iterator[Row]:
    """The rows of SE: each element that was begun, up to the next one or the end of participation."""
    plan, starts = subject.plan, list(subject.starts.items())
    for number, (epoch, start) in enumerate(starts):
        element = plan.element(subject.person.arm, epoch)
        # Without an arm it cannot be told which element of those that differ between arms it was.
        if element is None:
            continue
        end = starts[number + 1][1] if number + 1 < len(starts) else subject.ended
        yield {
            "USUBJID": subject.usubjid,
            "ETCD": element.code,
            "ELEMENT": element.name,
            "TAETORD": plan.element_order(epoch),
            "EPOCH": plan.epoch_terms[epoch],
            "SESTDTC": iso(start),
            "SEENDTC": iso(end),
            "SESTDY": subject.day(iso(start)),
            "SEENDY": subject.day(iso(end)),
        }


def visits(subject: Subject) -> Iterator[Row]:
    """The rows of SV: visits that took place, and planned ones that were missed."""
    for each in sorted(subject.visits.values(), key=lambda found: found.number):
        on, missed = iso(each.seen.took_place_on), each.seen.status == "missed"
        yield {
            "USUBJID": subject.usubjid,
            "VISITNUM": each.number,
            "VISIT": each.name,
            "SVPRESP": "Y" if each.planned else None,
            "SVOCCUR": None if not each.planned else "N" if missed else "Y",
            "SVREASOC": each.seen.cause if missed else None,
            "VISITDY": subject.plan.visits[each.seen.encounter].day if each.planned else None,
            "SVSTDTC": on,
            "SVENDTC": on,
            "SVSTDY": subject.day(on),
            "SVENDY": subject.day(on),
            "SVUPDES": None if each.planned else each.seen.cause or "Not planned",
        }


def dispositions(subject: Subject, collected: Iterable[Row]) -> Iterator[Row]:
    """The rows of DS: milestones, what forms say of leaving, and the end where they do not."""
    person = subject.person
    yield _disposition(
        subject, "INFORMED CONSENT OBTAINED", None, "PROTOCOL MILESTONE", None, person.consented_on
    )
    for each in person.renewals:
        again = f"Informed consent renewed, version {each.consent_version}"
        yield _disposition(
            subject, "INFORMED CONSENT OBTAINED", again, "PROTOCOL MILESTONE", None, each.consented_on
        )
    if person.randomised_on is not None:
        yield _disposition(subject, "RANDOMIZED", None, "PROTOCOL MILESTONE", None, person.randomised_on)
    rows = list(collected)
    yield from rows
    said = {row.get("DSSCAT") for row in rows if row.get("DSCAT") == "DISPOSITION EVENT"}
    if person.end_scope == "treatment" and "STUDY TREATMENT" not in said:
        # The day is overwritten when the participant completes the trial.
        given_up = person.ended_on if person.status == "withdrawn" else None
        yield _ended(subject, "STUDY TREATMENT", _reason(subject), person.end_cause, given_up)
    if subject.ended is not None and "STUDY PARTICIPATION" not in said:
        reason = {"failed": "SCREEN FAILURE", "completed": "COMPLETED"}.get(person.status) or _reason(subject)
        words = None if person.status == "completed" else person.end_cause
        yield _ended(subject, "STUDY PARTICIPATION", reason, words, subject.ended)


def _ended(subject: Subject, subcategory: str, reason: str, words: str | None, on: date | None) -> Row:
    return _disposition(subject, reason, words, "DISPOSITION EVENT", subcategory, on)


def _reason(subject: Subject) -> str:
    """The submission value of the cause as recorded: as datasets.yaml maps it, as it reads, or OTHER."""
    cause, plan = subject.person.end_cause or "", subject.plan.definition.datasets
    mapped = plan.disposition.get(cause) if plan else None
    return mapped or code_lists()["C66727"].meant(cause) or "OTHER"


def _disposition(
    subject: Subject, term: str, words: str | None, category: str, subcategory: str | None, on: date | None
) -> Row:
    return {
        "USUBJID": subject.usubjid,
        "DSTERM": cut_text(words or term, TEXT_LENGTH_MAX),
        "DSDECOD": term,
        "DSCAT": category,
        "DSSCAT": subcategory,
        "EPOCH": subject.epoch(iso(on)),
        "DSSTDTC": iso(on),
        "DSSTDY": subject.day(iso(on)),
    }


def exceptions(subject: Subject) -> Iterator[Row]:
    """The rows of IE: criteria not met at the last assessment; one that could not be judged has no row."""
    person, definition = subject.person, subject.plan.definition
    on = person.randomised_on or person.ended_on or person.consented_on
    for each in definition.eligibility.rules_for(person.variant, on):
        found = person.criteria.get(each.id)
        if found == ("not_met" if each.category == "inclusion" else "met"):
            result = "N" if each.category == "inclusion" else "Y"
            yield {
                "USUBJID": subject.usubjid,
                "IETESTCD": subject.plan.criteria[each.id],
                "IETEST": cut_text(each.text, TEXT_LENGTH_MAX),
                "IECAT": CATEGORIES[each.category],
                "IEORRES": result,
                "IESTRESC": result,
            }


def deviations(subject: Subject, found: Iterable[Deviation], titles: Mapping[str, str]) -> Iterator[Row]:
    """The rows of DV: protocol deviations, by the rules of the report."""
    for each in found:
        on = iso(each.on)
        yield {
            "USUBJID": subject.usubjid,
            "DVTERM": cut_text(each.text, TEXT_LENGTH_MAX),
            "DVDECOD": titles[each.kind],
            "DVCAT": each.severity.upper(),
            "EPOCH": subject.epoch(on, each.encounter),
            "DVSTDTC": on,
            "DVSTDY": subject.day(on),
        }


def subjects_of(frame: Frame, plan: Plan) -> tuple[Subject, ...]:
    """Everybody who consented, in the order of their codes."""
    return tuple(Subject(plan, person) for _, person in sorted(frame.people.items()))
