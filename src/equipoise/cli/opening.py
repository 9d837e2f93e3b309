"""The command that opens a live trial."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from equipoise.cli.console import clear_errors, counted, fail, say
from equipoise.cli.folders import new_trial
from equipoise.cli.studies import StudyArgument, find_study, load_definition

if TYPE_CHECKING:
    from equipoise.definition.model.definition import StudyDefinition


def open_live(
    study: StudyArgument,
    out: Annotated[Path, typer.Option("--out", help="A new or empty folder for the trial.")],
    administrator: Annotated[
        str, typer.Option("--administrator", help="The account that grants all others their roles.")
    ],
) -> None:
    """Open a live trial: make its databases and keys, record its opening, publish the first head."""
    from equipoise.access.actor import SYSTEM
    from equipoise.access.refusal import Refusal, Refused
    from equipoise.conduct.clock import read_system_clock
    from equipoise.conduct.entropy import SystemEntropy
    from equipoise.conduct.trial import Trial
    from equipoise.governance.commands import OpenTrial
    from equipoise.ledger.memory import MemoryLedger

    with clear_errors():
        definition = load_definition(study)
        check_ready(study, definition)
        with new_trial(out, identities=True) as made:
            trial = Trial(definition, MemoryLedger(), made.vault, read_system_clock, SystemEntropy())
            outcome = trial.record(SYSTEM, OpenTrial(mode="live", administrator=administrator))
            if isinstance(outcome, Refusal):
                raise Refused(outcome)
            made.keep(trial)
            made.publish(trial.head, "opening")
        say(f"opened    {definition.study.id} {definition.study.version}, a live trial, in {out}")
        say(f"grants    {administrator.strip()}, the only account so far, gives every other its roles")
        made.say_head(trial.head)
        _say_what_was_made(out)
        say(f"next      equipoise serve {out}")


def check_ready(study: str, definition: StudyDefinition) -> None:
    """End the command for a study under which nobody can be enrolled, or that is not what was locked."""
    from equipoise.definition.lint_study import draft_criteria
    from equipoise.definition.lock import check_lock

    drafts = draft_criteria(definition.eligibility)
    if drafts:
        fail(
            "OPEN-DRAFT",
            f"The study has {counted(len(drafts), 'draft criterion', 'draft criteria')}, under which nobody"
            f" can be enrolled: {', '.join(drafts)}. Write what each demands in eligibility.yaml.",
        )
    for finding in check_lock(find_study(study), definition):
        fail(finding.code, f"{finding.sentence} Run: equipoise lock {study}")


def _say_what_was_made(out: Path) -> None:
    made = sorted(path.name for path in out.iterdir())
    for what, suffix in (("databases", ".sqlite"), ("keys", ".key"), ("heads", ".jsonl")):
        say(f"{what:<9} {', '.join(name for name in made if name.endswith(suffix))}")
    say("Keep copies of the keys apart from the databases: without its key a database cannot be read.")
