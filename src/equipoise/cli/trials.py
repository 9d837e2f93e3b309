"""Commands about trials: rehearse, verify, report, view."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, is_dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from equipoise.cli.console import clear_errors, err, fail, say
from equipoise.cli.folders import place_of, whole_or_nothing
from equipoise.cli.rehearsing import (
    count_randomised,
    leave_under_way,
    plan_amendment,
    progress_bar,
    run_rehearsal,
)
from equipoise.cli.studies import StudyArgument, load_definition
from equipoise.store.names import HEADS_FILE, VAULT_FILE

if TYPE_CHECKING:
    from equipoise.access.actor import Actor
    from equipoise.conduct.trial import Trial

TrialArgument = Annotated[
    Path, typer.Argument(metavar="TRIAL", help="A trial's folder, or the trial.sqlite in it.")
]


def rehearse(
    study: StudyArgument,
    out: Annotated[Path, typer.Option("--out", help="A new or empty folder for the rehearsed trial.")],
    scenario: Annotated[str, typer.Option(help="One of the scenarios of the study's rehearsal.yaml.")] = "",
    participants: Annotated[int | None, typer.Option(min=1, help="How many to randomise.")] = None,
    sites: Annotated[int | None, typer.Option(min=1, help="How many sites take part.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same trial, byte for byte.")] = 1,
    faults: Annotated[bool, typer.Option(help="Let things go wrong, as rehearsal.yaml says.")] = True,
    until_randomised: Annotated[
        int | None,
        typer.Option(min=1, help="Stop when so many are randomised, and leave the trial under way."),
    ] = None,
    amend: Annotated[
        str, typer.Option("--amend", help="The study folder of an amendment that the trial goes on under.")
    ] = "",
    amend_at: Annotated[
        int | None, typer.Option("--amend-at", min=1, help="The day of the amendment, from the opening.")
    ] = None,
    substantial: Annotated[
        bool, typer.Option("--substantial/--minor", help="Whether each site waits for its approval of it.")
    ] = True,
    reconsent: Annotated[
        bool, typer.Option("--reconsent", help="Who takes part consents anew at their next visit under it.")
    ] = False,
) -> None:
    """Rehearse a whole trial with simulated people: recruit, randomise, follow, lock, unblind, analyse,
    report.
    """
    from equipoise.rehearsal.rehearse import scenarios
    from equipoise.rehearsal.repeat import RepeatPlan

    with clear_errors():
        definition = load_definition(study)
        chosen = scenario or next(iter(scenarios(definition)), "default")
        plan = RepeatPlan(
            definition=definition,
            scenario=chosen,
            participants=participants,
            sites=sites,
            faults=faults,
            amendment=plan_amendment(amend, amend_at, substantial=substantial, reconsent=reconsent),
        )
        if until_randomised is None:
            run_rehearsal(plan, seed, out)
        else:
            leave_under_way(plan, seed, out, lambda trial: count_randomised(trial) >= until_randomised)


def repeat(
    study: StudyArgument,
    out: Annotated[Path, typer.Option("--out", help="A JSON file for every single analysis.")],
    times: Annotated[int, typer.Option(min=1, help="How many rehearsals.")] = 200,
    scenario: Annotated[str, typer.Option(help="One of the scenarios of the study's rehearsal.yaml.")] = "",
    participants: Annotated[int | None, typer.Option(min=1, help="How many to randomise.")] = None,
    sites: Annotated[int | None, typer.Option(min=1, help="How many sites take part.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="The first seed; each rehearsal takes the next.")] = 1,
    faults: Annotated[bool, typer.Option(help="Let things go wrong, as rehearsal.yaml says.")] = True,
) -> None:
    """Rehearse a trial many times in memory, and say what its primary analysis would then do."""
    from equipoise.exchange.made import write_file
    from equipoise.rehearsal.rehearse import scenarios
    from equipoise.rehearsal.repeat import RepeatPlan, repeat_rehearsals, summarise_fits

    with clear_errors():
        definition = load_definition(study)
        chosen = scenario or next(iter(scenarios(definition)), "default")
        if not out.parent.is_dir():
            fail("OUT-FOLDER", f"There is no folder {out.parent} to write {out.name} to. Make it first.")
        plan = RepeatPlan(
            definition=definition, scenario=chosen, participants=participants, sites=sites, faults=faults
        )
        with progress_bar() as progress:
            fits = repeat_rehearsals(
                plan, range(seed, seed + times), lambda done, total: progress(done, total, "")
            )
        rows = summarise_fits(definition, chosen, fits)
        found = {"summary": [asdict(row) for row in rows], "analyses": [asdict(fit) for fit in fits]}
        write_file((json.dumps(found, indent=1) + "\n").encode(), out)
        say(f"{times} rehearsals of scenario {chosen}, seeds {seed} to {seed + times - 1}")
        for row in rows:
            if row.estimated:
                say(
                    f"{row.endpoint}, {row.analysis}: mean {_short(row.mean_estimate)} (truth"
                    f" {_short(row.truth)}),"
                    f" mean SE {_short(row.mean_se)}, coverage {_short(row.coverage)}, rejected"
                    f" {_short(row.rejected)}"
                )
        say(f"written   {out}")


def _short(value: float | None) -> str:
    return "not known" if value is None else f"{value:.4f}"


def verify(
    trial: TrialArgument,
    heads: Annotated[
        Path | None, typer.Option("--heads", help="Published heads to hold the ledger against.")
    ] = None,
    public_key: Annotated[
        str | None,
        typer.Option("--public-key", help="The key in hex, known from elsewhere, that signed the heads."),
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Only every hash and link, and no heads.")] = False,
) -> None:
    """Recompute every hash, replay the ledger, compare every table, open every commitment, print the head."""
    from equipoise.conduct.verify import verify_trial
    from equipoise.ledger import find_head
    from equipoise.store.heads import describe_heads, read_heads
    from equipoise.store.identities import IDENTITIES, read_codes
    from equipoise.store.place import folder_of
    from equipoise.store.trial_store import TrialStore

    with clear_errors():
        if quick and (heads or public_key is not None):
            fail("VERIFY-QUICK", "With --quick no published heads are read. Leave out one or the other.")
        store = TrialStore.open(place_of(trial))
        if quick:
            head = find_head(store.records())
            if head is None:
                fail(
                    "VERIFY-LINKS",
                    f"The chain of {trial.name} is broken. Verify it without --quick to see where.",
                )
            say(f"entries   {head.position}, every hash and link holds")
            say(f"head      {head.hash}")
            return
        beside = folder_of(trial) / HEADS_FILE
        file = heads or (beside if beside.exists() else None)
        published = read_heads(file, public_key) if file else ()
        if public_key is not None and not published:
            fail("HEADS-NONE", "There are no published heads to hold the key against. Name them: --heads.")
        identities = folder_of(trial) / IDENTITIES.file
        codes = read_codes(identities) if identities.exists() else None
        report = verify_trial(store, [each.head for each in published], codes)
        for warning in report.warnings:
            say(f"warning {warning.code}: {warning.sentence}")
        for problem in report.problems:
            err.print(f"{problem.code}: {problem.sentence}", style="red", markup=False)
        if not report.intact:
            fail("VERIFY-FAILED", f"{trial.name} is not what was recorded. Compare it with a backup.")
        say(f"entries   {report.entries}, chain intact")
        if report.blotted:
            places = ", ".join(map(str, report.blotted))
            say(f"blotted   {places}: a passage is gone there, as later entries say")
        say(f"tables    {report.tables} with {report.rows} rows, equal to the replayed ledger")
        say(f"openings  {report.openings} allocations proved against their commitments")
        say(f"published {describe_heads(published)}")
        say(f"head      {report.head.hash}")


def report(
    trial: TrialArgument,
    account: Annotated[str, typer.Option("--as", help="ACCOUNT:ROLE or ACCOUNT:ROLE:SITE, as whom to read.")],
    out: Annotated[Path, typer.Option("--out", help="The folder for report.html and datasets/.")],
) -> None:
    """Write the report and the datasets: masked for a masked role, whole after unblinding."""
    from equipoise.cli.outputs import write_masked_draft, write_report

    with clear_errors():
        opened = open_trial(trial)
        actor = read_actor(account)
        # Whoever may not read it must learn so before a folder is made.
        opened.as_seen_by(actor)
        with whole_or_nothing(out):
            if opened.unblinded:
                write_report(opened, actor, out)
            else:
                write_masked_draft(opened, actor, out)


def view(
    trial: TrialArgument,
    what: Annotated[
        str,
        typer.Argument(
            metavar="WHAT",
            help="trial, sites, participants, queries, events, clocks, unblindings, scans, readings, tasks,"
            " dictionaries, coding, audit, timeline, records or eligibility.",
        ),
    ],
    account: Annotated[str, typer.Option("--as", help="ACCOUNT:ROLE or ACCOUNT:ROLE:SITE, as whom to look.")],
    participant: Annotated[str, typer.Option(help="For timeline, records, eligibility and audit.")] = "",
    on: Annotated[str, typer.Option(help="The day for timeline and eligibility (YYYY-MM-DD).")] = "",
) -> None:
    """Print what a role may see, as JSON lines."""
    with clear_errors():
        seen = open_trial(trial).as_seen_by(read_actor(account))
        readers = _readers(seen, participant, on)
        if what not in readers:
            fail("VIEW-UNKNOWN", f"There is no view '{what}'. Use one of: {', '.join(readers)}.")
        for row in readers[what]():
            say(json.dumps(_plain(row), ensure_ascii=False, sort_keys=True))


def open_trial(path: Path) -> Trial:
    """Open a trial that is on disk, with its vault where the vault is at hand."""
    from equipoise.allocation.vault import MemoryVault
    from equipoise.conduct.clock import read_system_clock
    from equipoise.conduct.entropy import SystemEntropy
    from equipoise.conduct.trial import Trial
    from equipoise.definition.lock import definition_from_json
    from equipoise.store.place import folder_of
    from equipoise.store.sealing import read_key
    from equipoise.store.trial_store import TrialStore
    from equipoise.store.vault import VAULT_KEY, DatabaseVault

    store = TrialStore.open(place_of(path))
    definition = definition_from_json(store.founding_definition())
    vault_path = folder_of(path) / VAULT_FILE
    vault = (
        DatabaseVault(vault_path, read_key(folder_of(path) / VAULT_KEY.file, VAULT_KEY))
        if vault_path.exists()
        else MemoryVault()
    )
    return Trial(definition, store.ledger, vault, read_system_clock, SystemEntropy(), store.dictionaries)


def read_actor(text: str) -> Actor:
    """Read ACCOUNT:ROLE or ACCOUNT:ROLE:SITE."""
    from equipoise.access.actor import Actor

    parts = text.split(":")
    if len(parts) not in (2, 3) or not all(parts):
        fail("ACTOR", f"'{text}' names no actor. Write ACCOUNT:ROLE or ACCOUNT:ROLE:SITE.")
    return Actor(*parts)


def reader_of_all(trial: Trial) -> Actor:
    """Return the first account that reads what was recorded at all sites, masked while the trial is."""
    from equipoise.access.actor import Actor
    from equipoise.access.content import Audience
    from equipoise.access.visibility import viewer_of
    from equipoise.governance.state import GrantRow

    for grant in trial.tables.all(GrantRow):
        role = trial.definition.role(grant.role)
        if grant.revoked_at is None and role is not None and role.scope == "trial":
            actor = Actor(grant.account, grant.role)
            viewer = viewer_of(trial.definition, actor, unblinded=trial.unblinded)
            if {Audience.CONDUCT, Audience.READING} <= viewer.audiences and (
                trial.unblinded or viewer.masked
            ):
                return actor
    return fail(
        "TRIAL-READER",
        "No account holds a role that reads the data of all sites, as a data manager's. Say as whom to read.",
    )


def _readers(seen: Any, participant: str, on: str) -> dict[str, Callable[[], Any]]:
    try:
        day = date.fromisoformat(on or seen.trial().opened_at[:10])
    except ValueError:
        fail("DAY", f"'{on}' is no day. Write it as YYYY-MM-DD.")
    return {
        "trial": lambda: [seen.trial()],
        "sites": seen.sites,
        "participants": seen.participants,
        "queries": seen.queries,
        "events": seen.adverse_events,
        "clocks": seen.clocks,
        "unblindings": seen.unblindings,
        "scans": seen.scans,
        "readings": seen.readings,
        "tasks": seen.reading_tasks,
        "dictionaries": seen.dictionaries,
        "coding": seen.coding,
        "audit": lambda: seen.audit(participant or None),
        "timeline": lambda: seen.timeline(participant, day),
        "records": lambda: seen.records(participant),
        "eligibility": lambda: [
            {"criterion": name, "explanation": list(explained.lines())}
            for name, explained in seen.explain_eligibility(participant, day).items()
        ],
    }


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return {name: _plain(part) for name, part in asdict(value).items()}
    if isinstance(value, dict):
        return {str(name): _plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    return value.isoformat() if isinstance(value, date) else value
