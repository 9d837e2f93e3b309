"""What a trial is written out as: reports and datasets."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from equipoise.analysis.datasets import derive_datasets, write_datasets
from equipoise.analysis.derive import Frame
from equipoise.analysis.report.render import ReportFinding, render_report
from equipoise.analysis.run import analyse, describe_masked
from equipoise.cli.console import say

if TYPE_CHECKING:
    from equipoise.access.actor import Actor
    from equipoise.conduct.trial import Trial

REPORT_FILE = "report.html"
MASKED_FILE = "report-masked.html"
DATASETS_FOLDER = "datasets"


def write_masked_draft(
    trial: Trial, actor: Actor, out: Path, findings: Sequence[ReportFinding] | None = None
) -> None:
    """Write the masked draft of the report: everybody pooled, no split."""
    cut = trial.as_seen_by(actor).cut()
    text = render_report(describe_masked(cut), cut, findings, masked=True)
    (out / MASKED_FILE).write_text(text, encoding="utf-8")
    say(f"written   {out / MASKED_FILE}")


def write_report(
    trial: Trial, actor: Actor, out: Path, findings: Sequence[ReportFinding] | None = None
) -> None:
    """Write the report and the datasets of an unblinded trial."""
    cut = trial.as_seen_by(actor).cut()
    (out / REPORT_FILE).write_text(render_report(analyse(cut), cut, findings), encoding="utf-8")
    write_datasets(derive_datasets(Frame(cut)), out / DATASETS_FOLDER)
    say(f"written   {out / REPORT_FILE}")
    say(f"written   {out / DATASETS_FOLDER}")
