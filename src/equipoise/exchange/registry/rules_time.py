"""Rules about time: the order of dates, status, the time frames of outcomes, follow-up, results."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from equipoise.exchange.registry.design_claims import (
    follow_up_claims,
    horizon_claims,
    study_length_claims,
    times_in,
    treatment_length_claims,
)
from equipoise.exchange.registry.facts import (
    Facts,
    code_of,
    day_of,
    first_of_each_passage,
    in_words,
    integer_of,
)
from equipoise.exchange.registry.findings import ERROR, NOTE, WARNING, Finding
from equipoise.exchange.registry.model import Outcome, Passage, Status
from equipoise.exchange.registry.numbers import Length, parse_length
from equipoise.exchange.registry.texts import (
    ARMS,
    DESCRIPTION,
    NARRATIVE,
    OUTCOMES,
    SUMMARY,
    Claim,
    Spot,
    pieces,
    sentence_around,
)


def _ordered_dates(status: Status) -> tuple[tuple[Passage | None, Passage | None], ...]:
    """Return pairs of dates of which the first cannot be later than the second."""
    return (
        (status.start.date, status.primary_completion.date),
        (status.start.date, status.completion.date),
        (status.primary_completion.date, status.completion.date),
        (status.first_submitted, status.first_submitted_qc),
        (status.first_submitted, status.first_posted.date),
        (status.first_submitted_qc, status.first_posted.date),
        (status.first_submitted, status.last_update_submitted),
        (status.first_posted.date, status.last_update_posted.date),
        (status.last_update_submitted, status.last_update_posted.date),
        (status.results_first_submitted, status.results_first_submitted_qc),
        (status.results_first_submitted, status.results_first_posted.date),
        (status.first_submitted, status.results_first_submitted),
        (status.start.date, status.results_first_submitted),
    )


def rule_date_order(facts: Facts) -> Iterator[Finding]:
    """Dates stand in the order in which their events must have happened."""
    wrong: list[Passage] = []
    for earlier, later in _ordered_dates(facts.record.status):
        first, second = day_of(earlier), day_of(later)
        if first and second and earlier and later and first.surely_after(second):
            wrong += [date for date in (earlier, later) if date not in wrong]
    if wrong:
        yield facts.finding(
            "REC-DATES",
            ERROR,
            "Dates of the record are out of order: an event is dated before another that it must follow. "
            "Correct the dates.",
            wrong,
        )


_ENDED: Final = frozenset({"COMPLETED", "TERMINATED"})
_OPEN: Final = frozenset({"RECRUITING", "NOT_YET_RECRUITING", "ENROLLING_BY_INVITATION"})
_STOPPED: Final = frozenset({"TERMINATED", "WITHDRAWN", "SUSPENDED"})


def _status_clashes(facts: Facts) -> Iterator[Passage | None]:
    """Yield what does not fit the status, or is called actual though it is later than the last update."""
    record = facts.record
    status, enrolment = record.status, record.design.enrolment
    code, count = code_of(status.overall_status), integer_of(enrolment.count)
    completion = status.completion
    for entry in (status.start, status.primary_completion, completion):
        if code in _ENDED and code_of(entry.type) == "ESTIMATED":
            yield from (entry.date, entry.type)
    if code in _OPEN and code_of(completion.type) == "ACTUAL":
        yield from (completion.date, completion.type)
    if code == "NOT_YET_RECRUITING" and code_of(status.start.type) == "ACTUAL":
        yield from (status.start.date, status.start.type)
    if code in _ENDED | {"WITHDRAWN"} and code_of(enrolment.type) == "ESTIMATED":
        yield from (enrolment.count, enrolment.type)
    if code in _OPEN and code_of(enrolment.type) == "ACTUAL":
        yield from (enrolment.count, enrolment.type)
    if count is not None and ((code == "WITHDRAWN" and count > 0) or (code in _ENDED and count == 0)):
        yield enrolment.count
    if status.why_stopped and code and code not in _STOPPED:
        yield status.why_stopped
    updates = [
        day
        for date in (status.last_update_posted.date, status.last_update_submitted)
        if (day := day_of(date))
    ]
    update = max(updates, key=lambda day: day.last, default=None)
    for entry in (status.start, status.primary_completion, completion):
        when = day_of(entry.date)
        happened = code_of(entry.type) == "ACTUAL" or (entry is completion and code == "COMPLETED")
        if update and when and happened and when.surely_after(update):
            yield from (entry.date, status.last_update_posted.date or status.last_update_submitted)


def rule_status(facts: Facts) -> Iterator[Finding]:
    """Status, types of dates and enrolment fit each other."""
    clashes = [passage for passage in _status_clashes(facts) if passage]
    if clashes:
        yield facts.finding(
            "REC-STATUS",
            WARNING,
            "The status of the study does not fit its dates or its enrolment. Update the status or what "
            "contradicts it.",
            [facts.record.status.overall_status, *dict.fromkeys(clashes)],
        )


# ---- time frames -------------------------------------------------------------------------------------------

_OPEN_FRAME: Final = re.compile(
    r"\b(?:up\s+to|no\s+more|not\s+more|less\s+than|at\s+most|maximum|through|throughout|until|during|every|each|within|over|average|an?\s+average|period)\b",
    re.I,
)
_PRIMARY: Final = re.compile(
    r"\bprimary\s+(?:\w+\s+){0,3}?(?:end\s?-?points?|outcomes?(?:\s+measures?)?)\b", re.IGNORECASE
)
# A time much shorter than the frame (a day's recall, the length of a test) defines the measure, not its
# horizon.
_SHARE_OF_FRAME_MIN: Final = 0.15


def _lengths(passage: Passage) -> list[Length]:
    return [length for _, _, lengths in times_in(passage.text) for length in lengths]


def _fits_frame(lengths: Sequence[Length], frame: Passage) -> bool:
    """Say whether one of some times is a time of the frame, or lies within a frame that runs up to a time."""
    times = _lengths(frame)
    if not times or any(length.same_as(time) for length in lengths for time in times):
        return True
    longest = max(time.hours for time in times)
    horizon = max(length.hours for length in lengths)
    return (
        bool(_OPEN_FRAME.search(frame.text)) and horizon <= longest
    ) or horizon < _SHARE_OF_FRAME_MIN * longest


def _sentences(
    claims: Sequence[tuple[Claim, tuple[Length, ...]]],
) -> Iterator[list[tuple[Claim, tuple[Length, ...]]]]:
    """Group the times of one text by sentence."""
    groups: dict[tuple[int, int], list[tuple[Claim, tuple[Length, ...]]]] = {}
    for claim, lengths in claims:
        key = (id(claim.spot), sentence_around(claim.passage.text, claim.start)[0])
        groups.setdefault(key, []).append((claim, lengths))
    yield from groups.values()


def _clashing_times(passage: Passage, frame: Passage) -> list[Claim]:
    """Return the times of sentences that name no time of the frame."""
    found: list[Claim] = []
    claims = [claim for piece in pieces(passage) for claim in horizon_claims(Spot(OUTCOMES, piece))]
    for group in _sentences(claims):
        named = [length for _, lengths in group for length in lengths if length.amount > 0]
        if named and not _fits_frame(named, frame):
            found.append(max(group, key=lambda pair: max(length.hours for length in pair[1]))[0])
    return found


def _frames_in_results(facts: Facts) -> dict[str, list[Passage]]:
    """Return the time frames that the results section gives for measures, by the measure's folded title."""
    titles: dict[str, str] = {}
    frames: dict[str, list[Passage]] = {}
    pattern = re.compile(
        r"resultsSection\.outcomeMeasuresModule\.(outcomeMeasures\[\d+\])\.(title|timeFrame)$"
    )
    for passage in facts.record.results:
        ends = passage.section.endswith((".title", ".timeFrame"))
        if ends and (match := pattern.match(passage.section)):
            if match[2] == "title":
                titles[match[1]] = passage.text.lower()
            elif match[1] in titles:
                frames.setdefault(titles[match[1]], []).append(passage)
    return frames


def _primary_sentences(facts: Facts) -> list[tuple[Claim, tuple[Length, ...]]]:
    """Return the times in sentences of the narrative that speak of the primary endpoint."""
    found: list[tuple[Claim, tuple[Length, ...]]] = []
    for spot in facts.spots:
        if spot.zone in {SUMMARY, DESCRIPTION}:
            text = spot.passage.text
            found += [
                (claim, lengths)
                for claim, lengths in horizon_claims(spot)
                if _PRIMARY.search(text, *sentence_around(text, claim.start))
                and max(lengths, key=_hours).amount > 0
            ]
    return found


def _hours(length: Length) -> float:
    return length.hours


def rule_outcome_time_frame(facts: Facts) -> Iterator[Finding]:
    """The time frame of an outcome is the one that its text, the description and the results give."""
    primary = facts.record.outcomes.primary
    frames = [outcome.time_frame for outcome in primary if outcome.time_frame]
    elsewhere = [
        claim
        for sentence in _sentences(_primary_sentences(facts) if frames else ())
        if not any(_fits_frame(lengths, frame) for _, lengths in sentence for frame in frames)
        for claim, _ in sentence
    ]
    in_results = _frames_in_results(facts)
    for outcome in facts.outcomes:
        places = _outcome_clashes(outcome, in_results)
        if places:
            quoted = elsewhere if outcome in primary else []
            elsewhere = [] if outcome in primary else elsewhere
            yield _time_frame_finding(facts, [*places, *quoted, outcome.time_frame])
    if elsewhere:
        yield _time_frame_finding(facts, [*elsewhere, *frames])


def _time_frame_finding(facts: Facts, places: Sequence[Passage | Claim | None]) -> Finding:
    return facts.finding(
        "REC-OUTCOME-TIME",
        ERROR,
        f"The time frame of an outcome is not the time that its texts give{_in_brackets(places)}. "
        "State one time, or split the outcome in two.",
        places,
    )


def _in_brackets(places: Sequence[Passage | Claim | None]) -> str:
    words = in_words(place for place in places if isinstance(place, Claim))
    return f" ({words})" if words else ""


def _outcome_clashes(outcome: Outcome, in_results: dict[str, list[Passage]]) -> list[Passage | Claim]:
    """Return what contradicts an outcome's time frame."""
    frame = outcome.time_frame
    if not frame:
        return []
    texts = (outcome.measure, *outcome.description)
    found: list[Passage | Claim] = [claim for text in texts if text for claim in _clashing_times(text, frame)]
    again = outcome.time_frame_again
    if again and again.text.lower() != frame.text.lower():
        found.append(again)
    results = in_results.get(outcome.measure.text.lower(), []) if outcome.measure else []
    if results and not any(_same_times(frame, other) for other in results):
        found.extend(results)
    return found


def _same_times(frame: Passage, other: Passage) -> bool:
    mine, theirs = _lengths(frame), _lengths(other)
    return len(mine) == len(theirs) and all(any(one.same_as(two) for two in theirs) for one in mine)


def rule_follow_up(facts: Facts) -> Iterator[Finding]:
    """The end of follow-up is the same in every text and in the target duration."""
    claims = follow_up_claims(facts.spots)
    texts: dict[tuple[str, int], list[Claim]] = {}
    for claim in claims:
        key = ("", 0) if claim.spot.zone == ARMS else (claim.passage.section, claim.passage.line)
        texts.setdefault(key, []).append(claim)
    clashing: list[Claim] = []
    for own, group in texts.items():
        for claim in group:
            for other, rivals in texts.items():
                if other != own and not any(_same_length(claim, rival) for rival in rivals):
                    clashing += [item for item in (claim, *rivals) if item not in clashing]
    target = facts.record.design.target_duration
    match = re.match(r"(\d+)\s*(\w+)", target.text) if target else None
    differing: list[Claim] = []
    if match and claims and match[2].lower().startswith(("h", "d", "w", "m", "y")):
        length = parse_length(match[1], match[2])
        if not any(isinstance(claim.value, Length) and claim.value.same_as(length) for claim in claims):
            differing = claims
    if clashing or differing:
        yield facts.finding(
            "REC-FOLLOW-UP",
            WARNING,
            "The record states more than one end of follow-up. State one and use it everywhere.",
            [*first_of_each_passage(clashing or differing), target if differing else None],
        )


def rule_treatment_length(facts: Facts) -> Iterator[Finding]:
    """How long a treatment is given is the same in the description and with the arms and interventions."""
    claims = treatment_length_claims(facts.spots)
    told = [claim for claim in claims if claim.spot.zone in NARRATIVE]
    listed = [claim for claim in claims if claim.spot.zone not in NARRATIVE]
    # Regimens of several steps have several times: only texts that share none contradict each other.
    if told and listed and not any(_same_length(one, two) for one in told for two in listed):
        yield facts.finding(
            "REC-TREATMENT-LENGTH",
            WARNING,
            f"The length of treatment differs between texts: {in_words([*told[:1], *listed[:1]])}."
            " State one length.",
            [*first_of_each_passage(told), *first_of_each_passage(listed)],
        )


def rule_study_length(facts: Facts) -> Iterator[Finding]:
    """No outcome is measured after the study's end."""
    claims = study_length_claims(facts.spots)
    frames = [
        (outcome.time_frame, _lengths(outcome.time_frame)) for outcome in facts.outcomes if outcome.time_frame
    ]
    for claim in first_of_each_passage(claims):
        end = claim.value
        if not isinstance(end, Length):
            continue
        later = [
            frame
            for frame, lengths in frames
            if any(length.hours > end.hours and not length.same_as(end) for length in lengths)
        ]
        if later:
            yield facts.finding(
                "REC-STUDY-LENGTH",
                WARNING,
                "An outcome is measured after the end of the study as a text gives it"
                f" ({in_words([claim])}). Correct the length of "
                "the study or the time frame.",
                [claim, *later],
            )
            return


def _same_length(one: Claim, two: Claim) -> bool:
    return isinstance(one.value, Length) and isinstance(two.value, Length) and one.value.same_as(two.value)


def rule_results(facts: Facts) -> Iterator[Finding]:
    """The record has a results section just when it says so."""
    record = facts.record
    says = code_of(record.has_results)
    if record.incomplete is None and says and (says == "TRUE") != bool(record.results):
        yield facts.finding(
            "REC-RESULTS",
            NOTE,
            "The record says that it has results when it has none, or the reverse. Download it again.",
            [record.has_results],
        )
