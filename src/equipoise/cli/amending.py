"""The command that brings a new version of the study definition into a trial under way."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from equipoise.cli.console import clear_errors, counted, fail, out, say
from equipoise.cli.opening import check_ready
from equipoise.cli.studies import StudyArgument, load_definition
from equipoise.cli.trials import TrialArgument, open_trial, read_actor

if TYPE_CHECKING:
    from equipoise.conduct.view.lines import VersionLine
    from equipoise.definition.amendments import Change


def amend(
    trial: TrialArgument,
    study: StudyArgument,
    title: Annotated[str, typer.Option("--title", help="What the amendment is called, as in 'Amendment 2'.")],
    account: Annotated[str, typer.Option("--as", help="ACCOUNT:ROLE of an administrator of the trial.")],
    substantial: Annotated[
        bool,
        typer.Option(
            "--substantial/--minor",
            help="Substantial: it holds at a site once its approval is recorded. Minor: it holds at once.",
        ),
    ] = True,
    reconsent: Annotated[
        bool, typer.Option("--reconsent", help="Who takes part is to consent anew where it holds.")
    ] = False,
    reason: Annotated[str, typer.Option("--reason", help="Why the study is amended.")] = "",
    check: Annotated[bool, typer.Option("--check", help="Only say what changes; record nothing.")] = False,
) -> None:
    """Amend a trial under way: compare a study folder with the version that holds, and bring it in."""
    from equipoise.access.refusal import Refusal, Refused
    from equipoise.definition.amendments import compare_versions
    from equipoise.definition.lock import canonical_json
    from equipoise.governance.commands import AmendStudy
    from equipoise.governance.decide import check_amendment

    with clear_errors():
        opened, amended = open_trial(trial), load_definition(study)
        actor = read_actor(account)
        known = [each.study_version for each in opened.as_seen_by(actor).versions()]
        changes = compare_versions(opened.definition, amended)
        _print_changes(changes)
        obstacles = [change for change in changes if change.obstacle is not None]
        if obstacles:
            remedies = dict.fromkeys(f"{change.obstacle}: {change.remedy}" for change in obstacles)
            for remedy in remedies:
                say(remedy)
            fail("AMEND-OBSTACLE", f"The trial cannot take {len(obstacles)} of these changes.")
        say(f"{counted(len(changes), 'change')}, and nothing that was recorded is lost")
        if check:
            refusal = check_amendment(amended, opened.definition, known)
            if refusal is not None:
                raise Refused(refusal)
            return
        check_ready(study, amended)
        outcome = opened.record(
            actor,
            AmendStudy(
                title=title,
                canonical=canonical_json(amended).decode(),
                substantial=substantial,
                reconsent=reconsent,
            ),
            reason or None,
        )
        if isinstance(outcome, Refusal):
            raise Refused(outcome)
        say(f"amended   version {amended.study.version}, entry {outcome[0].position}")
        say(f"hash      {amended.hash}")
        _say_where_it_holds(opened.as_seen_by(actor).versions())


def _say_where_it_holds(versions: Sequence[VersionLine]) -> None:
    *earlier, latest = versions
    holds, waits = latest.sites, sorted(site for each in earlier for site in each.sites)
    say(f"holds at  {', '.join(holds) or 'no site yet'}")
    if waits:
        say(f"waits at  {', '.join(waits)}")
        say("next      record each site's approval in the clinic: Governance, Versions")


def _print_changes(changes: Sequence[Change]) -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("", "where", "before", "after", ""):
        table.add_column(heading, overflow="fold")
    for change in changes:
        style = "red" if change.obstacle else ""
        table.add_row(
            Text(change.what, style),
            Text("/".join(change.place), style),
            Text(change.before),
            Text(change.after),
            Text(change.obstacle or "", style),
        )
    if changes:
        out.print(table, soft_wrap=False)
