"""Writes the record of a locked and unblinded trial with its results, from what the report prints.

Every number is one of the analysis; here it is only put in its place. Source: ClinicalTrials.gov, "Study Data
Structure" (API v2), resultsSection; 42 CFR 11.48.
"""

from __future__ import annotations

from typing import Final

from equipoise.analysis.cut import DataCut
from equipoise.analysis.derive import Frame
from equipoise.analysis.run import analyse
from equipoise.analysis.tables import participants_analysed
from equipoise.exchange.registry.results_events import events_module, more_module
from equipoise.exchange.registry.results_flow import baseline_module, flow_module
from equipoise.exchange.registry.results_outcomes import outcomes_module
from equipoise.exchange.registry.tree import Tree
from equipoise.exchange.registry.write_record import kept, registry_record

THRESHOLD_PERCENT: Final = 5.0
"""The highest frequency up to which other than serious events need not be listed (42 CFR 11.48(a)(4))."""


class ResultsRefused(Exception):
    """Results that are not written: a stable `code` and a `sentence`."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(f"{code}: {sentence}")
        self.code = code
        self.sentence = sentence


def check_reportable(locked_at: str | None, unblinded_at: str | None) -> None:
    """Refuse a trial that is still open or masked.

    Raises ResultsRefused with RESULTS-OPEN or RESULTS-MASKED. Before the planned unblinding nothing is
    written, whoever asks: a record is public.
    """
    if locked_at is None:
        raise ResultsRefused(
            "RESULTS-OPEN",
            "The database is not locked, so there are no final results. Lock it, and unblind the trial.",
        )
    if unblinded_at is None:
        raise ResultsRefused(
            "RESULTS-MASKED",
            "The trial is still masked, and a record with its results would tell allocations. Unblind the"
            " trial first.",
        )


def results_record(cut: DataCut, over_percent: float = THRESHOLD_PERCENT) -> Tree:
    """Return the whole record: what the definition says, and the results of the data cut.

    `over_percent` is the frequency above which other than serious events are listed. Raises ResultsRefused as
    `check_reportable`, and with RESULTS-NONE where nobody took part.
    """
    check_reportable(cut.locked_at, None if cut.masked else cut.unblinded_at)
    result, frame = analyse(cut), Frame(cut)
    if not result.randomised:
        raise ResultsRefused(
            "RESULTS-NONE",
            "Nobody took part in the trial, so it has no results. Withdraw its record instead.",
        )
    sites = {frame.people[each].site for each in participants_analysed(frame)}
    record = registry_record(cut.definition, result.randomised, sites)
    results = kept(
        participantFlowModule=flow_module(frame, result),
        baselineCharacteristicsModule=baseline_module(frame, result),
        outcomeMeasuresModule=outcomes_module(frame, result),
        adverseEventsModule=events_module(frame, over_percent),
        moreInfoModule=more_module(result),
    )
    return {"protocolSection": record["protocolSection"], "resultsSection": results, "hasResults": True}
