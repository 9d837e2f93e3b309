"""Rehearsals into a folder: a whole trial with its report, or one under way for people to go on with."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from equipoise.cli.console import counted, err, fail, say
from equipoise.cli.folders import TrialFolder, new_trial
from equipoise.cli.studies import load_definition
from equipoise.store.names import TRIAL_FILE

if TYPE_CHECKING:
    from equipoise.analysis.report.render import ReportFinding
    from equipoise.conduct.trial import Trial
    from equipoise.rehearsal.amending import AmendmentPlan
    from equipoise.rehearsal.rehearse import RehearsalResult
    from equipoise.rehearsal.repeat import RepeatPlan


def run_rehearsal(
    plan: RepeatPlan, seed: int, out: Path, findings: Sequence[ReportFinding] | None = None
) -> None:
    """Rehearse into a folder: the trial, its vault, the masked draft, the report, the datasets, the heads."""
    from equipoise.cli.outputs import write_masked_draft, write_report
    from equipoise.definition.lock import canonical_json
    from equipoise.store.trial_store import TrialStore

    with ExitStack() as stack:
        made = stack.enter_context(new_trial(out, identities=False))
        canonical = canonical_json(plan.definition)
        store = TrialStore.create(out / TRIAL_FILE, plan.definition.hash, canonical)
        stack.callback(store.close)

        def before_unblinding(trial: Trial, cast: Any) -> None:
            made.publish(trial.head, "database lock")
            write_masked_draft(trial, cast.who("LockDatabase", None), out, findings)

        result = _rehearse(plan, seed, made, ledger=store.ledger, before_unblinding=before_unblinding)
        made.publish(result.trial.head, "unblinding")
        _say_people(result)
        made.say_head(result.trial.head)
        write_report(result.trial, result.cast.who("LockDatabase", None), out, findings)


def leave_under_way(plan: RepeatPlan, seed: int, out: Path, until: Callable[[Trial], bool]) -> None:
    """Rehearse into a folder up to the end of the day on which `until` holds: all that a clinic needs to go
    on.
    """
    with new_trial(out, identities=True) as made:
        result = _rehearse(plan, seed, made, until=until)
        made.keep(result.trial)
        made.publish(result.trial.head, "under way")
        _say_people(result)
        say(f"stands    {_describe_work(result)}")
        made.say_head(result.trial.head)
    say(f"next      equipoise serve {out}")


def _rehearse(plan: RepeatPlan, seed: int, made: TrialFolder, **also: Any) -> RehearsalResult:
    """Rehearse as planned, with the vault of a new folder and a progress bar; `also` as for `rehearse`."""
    from equipoise.rehearsal.rehearse import rehearse

    with progress_bar() as progress:
        return rehearse(
            plan.definition,
            seed=seed,
            scenario=plan.scenario,
            participants=plan.participants,
            sites=plan.sites,
            vault=made.vault,
            faults=plan.faults,
            amendment=plan.amendment,
            progress=progress,
            **also,
        )


def plan_amendment(
    folder: str, day: int | None, *, substantial: bool, reconsent: bool
) -> AmendmentPlan | None:
    """Return the amendment that a rehearsal is to bring in, or end the command; None where none is named."""
    from equipoise.rehearsal.amending import AmendmentPlan

    if not folder and day is None:
        return None
    if not folder or day is None:
        fail("REHEARSE-AMEND", "An amendment needs its folder and its day. Name both: --amend, --amend-at.")
    definition = load_definition(folder)
    return AmendmentPlan(
        definition=definition,
        day=day,
        title=f"Amendment to version {definition.study.version}",
        substantial=substantial,
        reconsent=reconsent,
    )


def count_randomised(trial: Trial) -> int:
    """Return how many are randomised so far."""
    from equipoise.allocation.state import AllocationRow

    return sum(1 for _ in trial.tables.all(AllocationRow))


def _say_people(result: RehearsalResult) -> None:
    people = f"consented {result.consented}, randomised {result.randomised}"
    say(f"{people}, scenario {result.scenario}, seed {result.seed}")


def _describe_work(result: RehearsalResult) -> str:
    """Return the day on which a trial stands, and what waits on it, as its data manager sees it."""
    seen = result.trial.as_seen_by(result.cast.who("LockDatabase", None))
    last = next(result.trial.ledger.read(result.trial.head.position - 1))
    queries = [each.status for each in seen.queries()]
    scans = sum(scan.status not in ("read", "refused") for scan in seen.scans())
    clocks = sum(clock.status == "running" for clock in seen.clocks())
    return (
        f"at the end of {last.recorded_at[:10]}: {counted(queries.count('open'), 'query', 'queries')} open,"
        f" {queries.count('answered')} answered, {counted(scans, 'scan')} waiting,"
        f" {counted(clocks, 'safety clock')} running"
    )


@contextmanager
def progress_bar(what: str = "rehearsing") -> Iterator[Callable[[int, int, str], None]]:
    """Show on a terminal how far a long work is: done, of how many, and at what, as the simulated day."""
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn(what),
        BarColumn(),
        TextColumn("{task.fields[at]}  {task.completed} of {task.total}"),
    )
    with Progress(*columns, TimeElapsedColumn(), console=err, disable=not err.is_terminal) as bar:
        task = bar.add_task(what, total=None, at="")

        def show(done: int, total: int, at: str) -> None:
            bar.update(task, completed=done, total=total, at=at)

        yield show
