"""The kinds of long work: reports, datasets, verification, copies of a site's data, and exports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from html import escape
from pathlib import Path
from tempfile import TemporaryDirectory

from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from equipoise.access.refusal import Refusal
from equipoise.analysis.cut import DataCut
from equipoise.analysis.datasets import derive_datasets, write_datasets
from equipoise.analysis.derive import Frame
from equipoise.analysis.report.render import render_report
from equipoise.analysis.run import analyse, describe_masked
from equipoise.conduct.verify import VerifyReport, verify_trial
from equipoise.conduct.view import MaskedView, UnmaskedView
from equipoise.ledger.entry import Head
from equipoise.store.heads import HeadsRefused, read_heads
from equipoise.store.identities import IDENTITIES, read_codes
from equipoise.store.names import HEADS_FILE
from equipoise.web import event_reports, exporting
from equipoise.web.accounts.models import Setting
from equipoise.web.site_copy import make_copy, read_copy_arguments
from equipoise.web.visible import Kinds, shows_arms
from equipoise.web.works import Work, WorkKind
from equipoise.web.zips import zip_of

LAST_VERIFICATION = "last_verification"
_TRIES = 3
CLOSED_MARK = (
    "Closed: confidential to the board. It compares the arms of a trial that goes on; do not pass it on."
)


def _make_report(work: Work) -> str:
    """The report: all participants together before the unblinding, by arm after it."""
    work.plan(3)
    seen = work.seen
    unblinded = seen.trial().unblinded_at is not None
    cut = _open_cut(seen)
    work.step()
    result = analyse(cut) if unblinded else describe_masked(cut)
    work.step()
    work.write(render_report(result, cut, masked=not unblinded).encode())
    return f"{_study(cut)}-{'report' if unblinded else 'masked-report'}-{cut.position}.html"


def _make_closed_report(work: Work) -> str | Refusal:
    """The report by arm before the lock; no hypothesis is tested, as no interim test was planned."""
    work.plan(3)
    seen = work.seen
    refusal = needs_arms(seen)
    if refusal is not None:
        return refusal
    cut = seen.cut()
    work.step()
    whole = analyse(cut)
    result = replace(whole, testing=(), notes=(CLOSED_MARK, *whole.notes))
    work.step()
    text = render_report(result, cut)
    banner = f'<body>\n<p class="banner simulated"><strong>{escape(CLOSED_MARK)}</strong></p>'
    work.write(text.replace("<body>", banner, 1).encode())
    return f"{_study(cut)}-closed-report-{cut.position}.html"


def _open_cut(seen: MaskedView | UnmaskedView) -> DataCut:
    """The data as masked roles have them until the unblinding, whoever asks: counts included."""
    return seen.cut() if seen.trial().unblinded_at is not None else MaskedView.cut(seen)


def needs_arms(seen: MaskedView | UnmaskedView) -> Refusal | None:
    """Refuse to whoever does not see the arms, so that nothing by arm is begun for them."""
    if shows_arms(seen):
        return None
    sentence = _("The role %(role)s does not see the arms.") % {"role": seen.viewer.role.id}
    return Refusal("ACC-UNSEEN", sentence, _("Ask for the open report."))


def _make_datasets(work: Work) -> str:
    """The datasets; without any arm before the unblinding, whoever asks."""
    work.plan(3)
    cut = _open_cut(work.seen)
    work.step()
    return _write_datasets(work, cut, "masked-" if cut.masked else "")


def _make_closed_datasets(work: Work) -> str | Refusal:
    refusal = needs_arms(work.seen)
    if refusal is not None:
        return refusal
    work.plan(3)
    cut = work.seen.cut()
    work.step()
    return _write_datasets(work, cut, "closed-")


def _write_datasets(work: Work, cut: DataCut, word: str) -> str:
    datasets = derive_datasets(Frame(cut))
    work.step()
    with TemporaryDirectory() as folder:
        files = {path.name: path.read_bytes() for path in write_datasets(datasets, Path(folder))}
    work.write(zip_of(files))
    return f"{_study(cut)}-{word}datasets-{cut.position}.zip"


def _study(cut: DataCut) -> str:
    return cut.definition.study.id


# -- verification


def _make_verification(work: Work) -> str | Refusal:
    """Verify the trial as it is kept; the result is a page, and stands on the administrator's."""
    work.plan(_TRIES)
    clinic = work.clinic
    heads_file = clinic.folder / HEADS_FILE
    try:
        heads = [each.head for each in read_heads(heads_file)] if heads_file.exists() else []
    except HeadsRefused as refused:
        return Refusal(refused.code, refused.sentence, _("Ask whoever keeps the heads."))
    for _try in range(_TRIES):
        before = clinic.trial.head
        report = verify_trial(clinic.store, heads, _codes(clinic.folder))
        work.step()
        # What was recorded in the meantime is in one table and not yet in another.
        if report.intact or clinic.trial.head == before:
            return _write_verification(work, report, heads)
    sentence = _("The trial was written to all the time while it was verified.")
    return Refusal("WEB-VERIFY-BUSY", sentence, _("Start it again when there is less to do."))


def _codes(folder: Path) -> tuple[str, ...] | None:
    path = folder / IDENTITIES.file
    return read_codes(path) if path.exists() else None


def _write_verification(work: Work, report: VerifyReport, heads: list[Head]) -> str:
    now = work.clinic.now()
    word = "intact" if report.intact else "broken"
    Setting.objects.update_or_create(
        name=LAST_VERIFICATION,
        defaults={"value": f"{now.isoformat()}|{word}|{report.head.position}|{len(report.problems)}"},
    )
    context = {"report": report, "heads": heads, "now": f"{now:%Y-%m-%d %H:%M} UTC"}
    work.write(render_to_string("works/verification.html", context).encode())
    return f"verification-{report.head.position}.html"


def last_verification() -> tuple[datetime, str, int, int] | None:
    """Return when the trial was last verified, with what result, up to where, and how many problems."""
    found = Setting.objects.filter(name=LAST_VERIFICATION).first()
    if found is None:
        return None
    when, word, position, problems = found.value.split("|")
    return datetime.fromisoformat(when), word, int(position), int(problems)


_CUTS = ("data_manager", "statistician", "unblinded_statistician", "safety_board")

WORK_KINDS: Mapping[str, WorkKind] = {
    kind.name: kind
    for kind in (
        WorkKind(
            "report",
            gettext_lazy("Report of the trial"),
            gettext_lazy(
                "Before the unblinding it describes all participants together and compares nothing."
            ),
            Kinds(_CUTS),
            _make_report,
        ),
        WorkKind(
            "datasets",
            gettext_lazy("Analysis datasets"),
            gettext_lazy("CSV files with their metadata, zipped. Before the unblinding no arm is in them."),
            Kinds(_CUTS),
            _make_datasets,
        ),
        WorkKind(
            "closed_report",
            gettext_lazy("Closed report, by arm"),
            gettext_lazy("Confidential to the board. It compares the arms, and tests no hypothesis."),
            Kinds(("safety_board", "unblinded_statistician")),
            _make_closed_report,
            needs_arms,
        ),
        WorkKind(
            "closed_datasets",
            gettext_lazy("Closed datasets, with the arms"),
            gettext_lazy("For the statistician to the board alone."),
            Kinds(("unblinded_statistician",)),
            _make_closed_datasets,
            needs_arms,
        ),
        WorkKind(
            "verification",
            gettext_lazy("Verification of the ledger"),
            gettext_lazy("Every hash is recomputed, the ledger replayed, every table compared with it."),
            Kinds(("administrator", "data_manager")),
            _make_verification,
        ),
        WorkKind(
            "copy",
            gettext_lazy("Copy of the data"),
            gettext_lazy("All that you see, with its audit trail: to read, and for a machine; zipped."),
            Kinds(("investigator", "data_manager")),
            make_copy,
            read=read_copy_arguments,
        ),
        WorkKind(
            "export",
            gettext_lazy("Export"),
            gettext_lazy("The trial as your role sees it, in a form that others read."),
            exporting.WHO,
            exporting.make_export,
            exporting.needs_all_data,
            exporting.read_export_arguments,
        ),
        WorkKind(
            event_reports.KIND,
            gettext_lazy("Report of an adverse event"),
            gettext_lazy("One serious adverse event as ICH E2B(R3), for an authority or a safety database."),
            event_reports.WHO,
            event_reports.make_event_report,
            read=event_reports.read_report_arguments,
        ),
    )
}
"""Every kind of long work, by its name."""
