"""Bad inputs for `equipoise design STUDY`."""

from pathlib import Path

from tests.cli.bad_inputs import case, study, written


def sized(folder: Path, old: str = "", new: str = "") -> str:
    """Copy a study that has a sample size, with one thing of it changed."""
    path = study(folder, "curlew") / "sample_size.yaml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1) if old else text, encoding="utf-8")
    return str(path.parent)


@case
def design_study_that_is_not_there(folder: Path) -> list[str]:
    return ["design", str(folder / "nowhere")]


@case
def design_study_without_a_sample_size(folder: Path) -> list[str]:
    return ["design", str(study(folder, "plover"))]


@case
def design_study_with_a_sample_size_that_is_wrong(folder: Path) -> list[str]:
    return ["design", sized(folder, "power: 0.85", "power: 1.5")]


@case
def design_study_for_an_effect_beyond_any_trial(folder: Path) -> list[str]:
    return ["design", sized(folder, "value: -2,", "value: -0.000001,")]


@case
def check_of_an_effect_beyond_any_trial(folder: Path) -> list[str]:
    return ["check", sized(folder, "value: -2,", "value: -0.000001,")]


@case
def design_study_with_trials_below_none(folder: Path) -> list[str]:
    return ["design", sized(folder), "--trials", "-1"]


@case
def design_study_resumed_from_nothing(folder: Path) -> list[str]:
    return ["design", sized(folder), "--resume"]


@case
def design_study_into_no_folder(folder: Path) -> list[str]:
    return ["design", sized(folder), "--out", str(folder / "nowhere" / "design.html")]


@case
def design_study_over_what_an_interrupted_run_has_left(folder: Path) -> list[str]:
    written(folder / "design.html.part", b"{}\n")
    return ["design", sized(folder), "--out", str(folder / "design.html")]


@case
def design_study_resumed_from_something_else(folder: Path) -> list[str]:
    written(folder / "design.html.part", b"1\n")
    return ["design", sized(folder), "--resume", "--out", str(folder / "design.html")]
