"""Registered outcomes: each is one measure, named by what is measured, at a time that is said.

Sources: 42 CFR 11.10(b) "primary outcome measure(s)" (name, metric and time point of each), 11.28(a)(2)(i);
the registry's review comments on outcome measures and time frames, as published by ClinicalTrials.gov and by
PRS administrators of academic centres (University of Colorado, Tips of the Week; UCSF, Outcome Measures
Newsletter).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final

from equipoise.exchange.registry.design_claims import times_in
from equipoise.exchange.registry.findings import ERROR, NOTE, WARNING
from equipoise.exchange.registry.model import Outcome, Passage
from equipoise.exchange.registry.quality.subject import (
    DEFINITIONS,
    Hit,
    Rule,
    Subject,
    folded,
    hit,
    in_its_sentence,
    spans,
    words_of,
)

_METRICS_RULE: Final = "42 CFR 11.10(b), primary outcome measure"
_TIPS: Final = "PRS comments: outcome measure title and description"
_TIME_TIPS: Final = "PRS comments: outcome measure time frames"


def _measures(outcomes: Sequence[Outcome]) -> Iterator[tuple[Outcome, Passage, str]]:
    """Yield outcomes that have a title, with it as it is read."""
    for outcome in outcomes:
        if outcome.measure is not None:
            yield outcome, outcome.measure, words_of(outcome.measure.text)


def _described(outcome: Outcome) -> str:
    return words_of(" ".join(text.text for text in outcome.description))


# ---- what is measured --------------------------------------------------------------------------------------

_FIELD: Final = (
    r"(?:safety|efficacy|effectiveness|tolerability|tolerance|feasibility|toxicit(?:y|ies)|pharmacokinetics?"
    r"|pharmacodynamics?|pk|pd|immunogenicity|acceptability|outcomes?|end\s?points?|results?)"
)
_KIND: Final = (
    r"(?:overall|general|clinical|long[-\s]?term|short[-\s]?term|treatment|preliminary|primary|secondary|main"
    r"|exploratory|other|the|study|drug|vaccine|device|procedural?)"
)
_VAGUE: Final = re.compile(
    rf"(?:{_KIND}\s+)*{_FIELD}(?:\s*\([^)]{{1,12}}\))?"
    rf"(?:\s*(?:,|/|&|\band\b|\bor\b|,\s*and\b)\s*(?:{_KIND}\s+)*{_FIELD}(?:\s*\([^)]{{1,12}}\))?)*"
    r"(?:\s+(?:evaluations?|assessments?|profiles?|analys[ie]s|data|measures?|parameters?|outcomes?"
    r"|end\s?points?))*(?:\s*(?:#\s*)?\d{1,2})?(?P<tail>\s+(?:of|in|for|with|after|following)\b[^:;()=]{0,120})?",
    re.IGNORECASE,
)
_SAYS_HOW: Final = re.compile(
    r"\b(?:number|numbers|count|incidence|frequenc\w+|rates?|proportion|percent\w*|measured|assessed|defined"
    r"|evaluated|determined|reported|scores?|scale|via|using|by|based|according|changes?|levels?)\b|%",
    re.IGNORECASE,
)


def find_vague(subject: Subject) -> Iterator[Hit]:
    """A title names what is measured, and not only a field such as safety or efficacy."""
    for _, measure, title in _measures(subject.outcomes):
        match = _VAGUE.fullmatch(title.strip(" ."))
        if match and not _SAYS_HOW.search(match["tail"] or ""):
            yield hit(measure)


_AIM: Final = re.compile(
    r"(?:\d{1,2}[.)]\s*)?(?:to\s+(?!be\b)[a-z]{3,}\b|(?:assess|evaluate|determine|demonstrate|investigate|examine"
    r"|explore|establish|characteri[sz]e|describe|identify|validate|compare|quantify)\s"
    r"|(?:the\s+)?(?:(?:primary|secondary|main)\s+)?(?:aim|objective|goal|purpose)s?\b)",
    re.IGNORECASE,
)


def find_aims(subject: Subject) -> Iterator[Hit]:
    """A title says what is measured, not why: no "to assess", no aim."""
    for _, measure, title in _measures(subject.outcomes):
        if match := _AIM.match(title):
            yield hit(measure, detail=f'"{match[0].strip()}"')


_LISTED: Final = re.compile(
    # An item of a title is short; to look on to the end of a text from every number in it takes for ever.
    r"(?:^|\s)\(?(?:1[.)].{3,300}?\s\(?2[.)]|a[.)].{3,300}?\s\(?b[.)]|i[.)].{3,300}?\s\(?ii[.)])\s*\w",
    re.DOTALL,
)
_METRIC: Final = (
    r"(?:overall\s+survival|progression[-\s]free\s+survival|disease[-\s]free\s+survival"
    r"|event[-\s]free\s+survival|relapse[-\s]free\s+survival|(?:objective\s+|overall\s+)?response\s+rate"
    r"|duration\s+of\s+response|area\s+under\s+the\s+curve|half[-\s]life|blood\s+pressure|heart\s+rate"
    r"|body\s+weight|body\s+mass\s+index|mortality|length\s+of\s+(?:hospital\s+)?stay|quality\s+of\s+life"
    r"|adverse\s+events|pain(?:\s+(?:score|intensity|relief))?|patient\s+satisfaction|operative\s+time"
    r"|blood\s+loss|OS|PFS|DFS|ORR|AUC\w*|C\s?max|T\s?max|BMI|HbA1c)"
)
_JOINED: Final = re.compile(
    rf"\b(?P<one>{_METRIC})(?:\s*\([^)]{{1,30}}\))?\s*(?:,|;|&|\band\b|,\s*and\b|\bas\s+well\s+as\b)\s*"
    rf"(?:the\s+)?(?P<two>{_METRIC})\b",
    re.IGNORECASE,
)
_COMPOSITE: Final = re.compile(
    r"\b(?:composite|combined|combination|either|any\s+of|all\s+of|freedom\s+from|ratio|relation\w*|correlation"
    r"|association|agreement|between|summed|sum\s+of|global|component)\b",
    re.IGNORECASE,
)
_CO_PRIMARY: Final = re.compile(
    r"\bco-?primary\s+(?:objectives?|outcomes?|end\s?-?points?|measures?)\b", re.I
)


def find_several(subject: Subject) -> Iterator[Hit]:
    """An outcome is one measure; a composite says that it is one."""
    alone = len(subject.record.outcomes.primary) == 1
    for outcome, measure, title in _measures(subject.outcomes):
        described = _described(outcome)
        if _COMPOSITE.search(title) or _COMPOSITE.search(described):
            continue
        joined = _JOINED.search(title)
        pieces = [piece.split() for piece in re.sub(r"\([^)]*\)", "", title).split(";")]
        if joined and joined["one"].casefold() != joined["two"].casefold():
            yield hit(measure, detail=f'"{joined["one"]}" and "{joined["two"]}"')
        elif _LISTED.search(title) or (len(pieces) > 1 and all(len(piece) > 1 for piece in pieces)):
            yield hit(measure)
        for text in outcome.description if alone else ():
            for claim in spans(text, _CO_PRIMARY):
                yield hit(measure, in_its_sentence(claim), detail=f'"{claim.value}"')


_ABBREVIATED: Final = re.compile(
    r"(?=(?:[^A-Z]*[A-Z]){2})(?:[A-Z][A-Z0-9-]{1,7}[a-z0-9]?)(?:[\s/]+(?:[A-Z0-9-]{1,6}))?"
)


def find_abbreviations(subject: Subject) -> Iterator[Hit]:
    """A title is more than an abbreviation, unless the outcome is described or the record spells it out."""
    for outcome, measure, title in _measures(subject.outcomes):
        if _ABBREVIATED.fullmatch(title) and not outcome.description and not spelled_out(title, subject):
            yield hit(measure)


def spelled_out(abbreviation: str, subject: Subject) -> bool:
    """Say whether the record explains an abbreviation in brackets, or by a name with its initials."""
    told, mark = subject.all_words, re.escape(abbreviation)
    if re.search(rf"\({mark}s?[),;\s]|\b{mark}s?\s*(?:\(|=|:\s)|\[{mark}s?\]", told):
        return True
    letters = [letter for letter in abbreviation if letter.isalpha()]
    name = r"[\w'’]*[\s-]+(?:(?:of|the|and|for|in|to|with)\s+)?".join(letters)
    return len(letters) > 1 and bool(re.search(rf"\b{name}", told, re.IGNORECASE))


_SCALE: Final = re.compile(r"\b(?:scales?|scores?|VAS|NRS|likert)\b(?!\s+(?:of\s+)?\d)", re.IGNORECASE)
_NO_SCALE: Final = re.compile(
    r"\b[zt][-\s]?scores?|\bscore\s+of\b|\b(?:gray|grey|large|small|time)\s?-?scale|≥|≤|<|>|propensity"
    r"|\b(?:number|percent\w*|proportion|rate|incidence|count|time)\b",
    re.IGNORECASE,
)
_RANGE_TOLD: Final = re.compile(
    r"\d\s*(?:-|–|—|to|through|and|\.\.)\s*\d|\brang(?:e|es|ing)\b|\bmin(?:imum)?\b|\bmax(?:imum)?\b"
    r"|\b(?:high|low)er\s+(?:score|value|number|total|mean)|\b\d+[-\s](?:point|item)|worst|0\s*=|out\s+of\s+\d"
    r"|/\s?\d+\b|\bfrom\s+\d",
    re.IGNORECASE,
)


def find_scales(subject: Subject) -> Iterator[Hit]:
    """The description of a scale gives its least and greatest values, and which end is better."""
    for outcome, measure, title in _measures(subject.outcomes):
        is_scale = _SCALE.search(title) and not _NO_SCALE.search(title)
        if is_scale and not _RANGE_TOLD.search(f"{title} {_described(outcome)}"):
            yield hit(measure)


def find_alike(subject: Subject) -> Iterator[Hit]:
    """No outcome is registered twice."""
    seen: dict[tuple[str, str, str], Passage] = {}
    for outcome, measure, _ in _measures(subject.outcomes):
        key = (folded(measure), folded(outcome.time_frame), _described(outcome).casefold())
        if key in seen:
            yield hit(seen[key], measure)
        seen[key] = measure


def find_none(subject: Subject) -> Iterator[Hit]:
    """A study has at least one primary outcome."""
    if (subject.is_interventional or subject.is_observational) and not subject.record.outcomes.primary:
        yield hit(subject.name)


# ---- when it is measured -----------------------------------------------------------------------------------


def find_timeless(subject: Subject) -> Iterator[Hit]:
    """Every outcome has a time frame."""
    for outcome, measure, _ in _measures(subject.outcomes):
        if outcome.time_frame is None or not outcome.time_frame.text.strip():
            yield hit(measure)


_STAGE: Final = (
    r"(?:study|trial|research|treatment|therapy|intervention|protocol|follow[-\s]?up|hospitali[sz]ation"
    r"|hospital\s+stay|admission|visits?|appointments?|observation|assessment|enrol?lment|data\s+collection"
    r"|(?:study|post)?-?procedure|operation|surgery)"
)
_VAGUE_FRAME: Final = re.compile(
    rf"(?:(?:baseline|pre-?\s?{_STAGE}|before\s+{_STAGE})\s*(?:,|and|to|through|until|-|–|/)\s*)?"
    r"(?:(?:from|at|by|during|throughout|through|until|up\s+to|after|over|for|within|before|and|the|each|every|entire"
    r"|whole|full|total|active|course|duration|length|end|completion|close|conclusion|beginning|start|of|post|final"
    r"|last|initial|pre|overall|on|in|a|all)[-\s]+)*"
    rf"{_STAGE}(?:[-\s]+(?:period|phase|completion|duration|end|visits?|participation|course|stay|time|close))*"
    r"(?:\s*(?:#\s*)?\d{1,2})?"
    r"|n/?\.?a\.?|not\s+applicable|not\s+specified|none|unknown|tbd|to\s+be\s+determined|ongoing|continuous(?:ly)?"
    r"|various|variable|any\s?time|event[-\s]driven|as\s+needed|see\s+description|post[-\s]?operative(?:ly)?",
    re.IGNORECASE,
)
# A moment of an operation or of a stay, at which a measure is taken once, is specific enough.
_MOMENT: Final = re.compile(
    r"(?:at|during|on|immediately\s+after|before|from|by|after)?\s*(?:the\s+)?(?:time\s+of\s+|day\s+of\s+|end\s+of\s+"
    r"|start\s+of\s+)?(?:the\s+)?(?:surgery|operation|procedure|admission|enrol?lment|hospital\s+admission)",
    re.IGNORECASE,
)


def find_vague_times(subject: Subject) -> Iterator[Hit]:
    """A time frame gives a point or a length of time, and not only a stage of the study."""
    for outcome in subject.outcomes:
        frame = outcome.time_frame
        text = words_of(frame.text).strip(" .") if frame else ""
        if _VAGUE_FRAME.fullmatch(text) and not _MOMENT.fullmatch(text):
            yield hit(frame)


_CHANGE: Final = re.compile(
    r"\b(?:chang\w*|differen\w+|delta|increas\w*|decreas\w*|reduc\w+|improv\w*|declin\w*|gain|loss|slope|trend"
    r"|trajector\w+|course|curve|over\s+time|time\s+(?:to|until|course)|rates?|pharmacokinetic\w*|concentration"
    r"|profile|cumulative|incidence|number|proportion|percent\w*|frequency|survival|progress\w*|recurren\w*|relapse"
    r"|events?|evolution|variation|vari\w+|composite|repeated|longitudinal|half-life|clearance|compar\w+|mortality"
    r"|complications?|maximum|minimum|peak|average|mean|total|AUC\w*|effect\w*)\b|Δ",
    re.IGNORECASE,
)
_SPAN: Final = re.compile(
    r"\b(?:to|through|until|up\s+to|between|every|each|during|throughout|within|over|from|average|about"
    r"|approximately|or|pre-?dose|post-?dose|weekly|daily|monthly|annually|yearly)\b|[-–~±+]",
    re.IGNORECASE,
)
_HOURS_A_DAY: Final = 24.0


def find_several_times(subject: Subject) -> Iterator[Hit]:
    """A primary outcome that is not a change is measured at one time."""
    for outcome, measure, title in _measures(subject.record.outcomes.primary):
        frame = outcome.time_frame
        if frame is None or _CHANGE.search(f"{title} {_described(outcome)}") or _SPAN.search(frame.text):
            continue
        times = [length for _, _, lengths in times_in(frame.text) for length in lengths if length.amount > 0]
        hours = sorted({length.hours for length in times})
        apart = [later for earlier, later in pairwise(hours) if later > earlier]
        # Samples within a day are one series, and one length in two units is one time.
        same = len(times) == 2 and times[0].same_as(times[1])
        if apart and not same and hours[-1] > _HOURS_A_DAY:
            yield hit(measure, frame)


RULES: Final = (
    Rule(
        "PRS-OUTCOME-NONE",
        ERROR,
        find_none,
        "The record has no primary outcome",
        "Register what the study is to show, with the time at which it is measured",
        "42 CFR 11.28(a)(2)(i)",
    ),
    Rule(
        "PRS-OUTCOME-VAGUE",
        WARNING,
        find_vague,
        "The title of an outcome names no measure",
        "Name what is measured, as the change of a score or the number of participants with an event",
        _TIPS,
        of_pages=True,
    ),
    Rule(
        "PRS-OUTCOME-AIM",
        WARNING,
        find_aims,
        "The title of an outcome states an aim",
        "Name what is measured, and leave the aim to the summary",
        _TIPS,
        of_pages=True,
    ),
    Rule(
        "PRS-OUTCOME-SEVERAL",
        WARNING,
        find_several,
        "An outcome holds more than one measure",
        "Register each measure as an outcome, or say that it is a composite",
        "PRS comments: more than one outcome measure",
        of_pages=True,
    ),
    Rule(
        "PRS-OUTCOME-ABBREVIATION",
        WARNING,
        find_abbreviations,
        "The title of an outcome is an abbreviation that the record explains nowhere",
        "Write the name of the measure in full, and describe how it is measured",
        _TIPS,
        of_pages=True,
    ),
    Rule(
        "PRS-OUTCOME-SCALE",
        NOTE,
        find_scales,
        "An outcome is a score on a scale whose range is not told",
        "Give the scale's name, its least and greatest values, and which end is better",
        _TIPS,
    ),
    Rule(
        "PRS-OUTCOME-ALIKE",
        ERROR,
        find_alike,
        "An outcome is registered twice, with the same time frame and description",
        "Remove one, or say in what they differ",
        "UCSF Outcome Measures Newsletter: each title is unique",
        of_pages=True,
    ),
    Rule(
        "PRS-TIME-NONE",
        ERROR,
        find_timeless,
        "An outcome has no time frame",
        "Give the time at which, or up to which, each participant is measured",
        f"{_METRICS_RULE}; {DEFINITIONS}, Time Frame",
    ),
    Rule(
        "PRS-TIME-VAGUE",
        WARNING,
        find_vague_times,
        "A time frame gives no time",
        "Give a number of days, weeks, months or years; for one that varies, up to or about how long",
        _TIME_TIPS,
        of_pages=True,
    ),
    Rule(
        "PRS-TIME-SEVERAL",
        WARNING,
        find_several_times,
        "A primary outcome that is not a change is measured at several times",
        "Register an outcome for each time, or name the time that counts",
        _TIME_TIPS,
        of_pages=True,
    ),
)
