"""Commands about study folders and registry records."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from equipoise.cli.console import clear_errors, counted, err, fail, say, write

if TYPE_CHECKING:
    from equipoise.definition.findings import Problem
    from equipoise.definition.model.definition import StudyDefinition

StudyArgument = Annotated[
    str, typer.Argument(metavar="STUDY", help="A study folder, or the name of one that ships with Equipoise.")
]


def find_study(study: str) -> Path:
    """Return the folder of a study given by path or by the name of one that ships with the package."""
    from equipoise.studies import study_folder, study_names

    folder = Path(study)
    if folder.is_dir():
        return folder
    if study not in study_names():
        fail(
            "STUDY-MISSING",
            f"There is no study folder {study}. Name a folder, or one of: {', '.join(study_names())}.",
        )
    return study_folder(study)


def load_definition(study: str) -> StudyDefinition:
    """Load a study, or print what is wrong with it and end the command."""
    from equipoise.definition.load import check_study

    definition, findings = check_study(find_study(study))
    errors = [finding for finding in findings if finding.severity == "error"]
    if definition is None or errors:
        for finding in errors:
            err.print(finding.line(), markup=False)
        fail(
            "STUDY-INVALID",
            f"The study folder has {counted(len(errors), 'error')}. Run: equipoise check {study}",
        )
    return definition


def _check_enrolment(definition: StudyDefinition) -> Iterator[Problem]:
    """Compare the planned enrolment with what is assumed, where something is: the statistics load slowly."""
    if definition.sample_size is not None:
        from equipoise.analysis.planning.determine import check_enrolment

        yield from check_enrolment(definition)


def check(study: StudyArgument) -> None:
    """Check a study folder: file, line, code and what to do, for everything that is wrong."""
    from equipoise.definition.load import check_study
    from equipoise.definition.lock import check_lock

    with clear_errors():
        folder = find_study(study)
        definition, findings = check_study(folder, (_check_enrolment,))
        if definition is not None:
            findings += check_lock(folder, definition)
        for finding in findings:
            say(finding.line())
        errors = sum(finding.severity == "error" for finding in findings)
        warnings = len(findings) - errors
        if errors or definition is None:
            say(f"{counted(errors, 'error')}, {counted(warnings, 'warning')}")
            raise typer.Exit(1)
        say(f"{definition.study.id} {definition.study.version}: no errors, {counted(warnings, 'warning')}")
        say(f"definition {definition.hash}")


def show(
    study: StudyArgument,
    form: Annotated[
        Literal["markdown", "html"], typer.Option("--format", help="The form of the text.")
    ] = "markdown",
    out: Annotated[
        Path | None, typer.Option("--out", help="Write to this file and not to standard output.")
    ] = None,
) -> None:
    """Print the protocol synopsis: design, criteria, schedule of activities, forms, endpoints,
    assumptions.
    """
    from equipoise.definition.synopsis import render_synopsis

    with clear_errors():
        text = render_synopsis(load_definition(study), form)
        if out is None:
            write(text)
            return
        out.write_text(text, encoding="utf-8")
        say(f"written: {out}")


def lock(study: StudyArgument) -> None:
    """Write study.lock: the canonical definition, whose SHA-256 every entry of a trial names."""
    from equipoise.definition.lock import write_lock

    with clear_errors():
        definition = load_definition(study)
        path = write_lock(find_study(study), definition)
        say(f"written: {path}")
        say(f"definition {definition.hash}")


def list_studies() -> None:
    """List the study folders that ship with Equipoise."""
    from equipoise.studies import study_folder, study_names

    for name in study_names():
        say(f"{name}  {study_folder(name)}")


def new(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="The folder to make.")],
    like: Annotated[str, typer.Option("--like", help="The study to start from.")] = "",
) -> None:
    """Make a study folder to edit: a copy of a study that ships with Equipoise."""
    import shutil

    from equipoise.studies import study_names

    with clear_errors():
        if folder.exists():
            fail("OUT-EXISTS", f"{folder} is there already. Choose another name.")
        shutil.copytree(
            find_study(like or study_names()[0]), folder, ignore=shutil.ignore_patterns("__pycache__")
        )
        say(f"written: {folder}")
