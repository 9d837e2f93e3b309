"""Bad inputs for `equipoise design`."""

from pathlib import Path

from tests.cli.bad_inputs import case, written

GRAPH = b'{"weights": [1, 0], "transitions": [[0, 1], [1, 0]], "p_values": [0.01, 0.02], "alpha": %s}'


def counts(**changed: str) -> list[str]:
    """Return the options of a comparison of two rates, some of them changed."""
    given = {"rate0": "2", "ratio": "0.5", "dispersion": "1", "power": "0.8", **changed}
    return ["design", "size", *(part for name, value in given.items() for part in (f"--{name}", value))]


@case
def design_size_for_a_rate_of_nothing(folder: Path) -> list[str]:
    return counts(rate0="0")


@case
def design_size_for_no_difference(folder: Path) -> list[str]:
    return counts(ratio="1")


@case
def design_size_for_less_power_than_alpha(folder: Path) -> list[str]:
    return counts(power="0.01")


@case
def design_size_with_a_rate_that_is_no_number(folder: Path) -> list[str]:
    return counts(rate0="nan")


@case
def design_size_with_three_sides(folder: Path) -> list[str]:
    return counts(sides="3")


@case
def design_power_with_nobody_in_a_group(folder: Path) -> list[str]:
    sizes = ["--n1", "0", "--n2", "10"]
    return ["design", "power", "--rate0", "1", "--ratio", "0.5", "--dispersion", "1", *sizes]


@case
def design_bounds_without_looks(folder: Path) -> list[str]:
    return ["design", "bounds", "--family", "OF"]


@case
def design_bounds_with_looks_in_words(folder: Path) -> list[str]:
    return ["design", "bounds", "--family", "OF", "--information", "half,1"]


@case
def design_bounds_that_go_back(folder: Path) -> list[str]:
    return ["design", "bounds", "--family", "OF", "--information", "0.7,0.4,1"]


@case
def design_bounds_without_their_parameter(folder: Path) -> list[str]:
    return ["design", "bounds", "--family", "asHSD", "--looks", "3"]


@case
def design_bounds_for_futility_on_two_sides(folder: Path) -> list[str]:
    return ["design", "bounds", "--family", "asOF", "--looks", "3", "--sides", "2", "--futility", "asOF"]


@case
def design_operating_with_looks_and_no_family(folder: Path) -> list[str]:
    return ["design", "operating", "--rate0", "2", "--participants", "40", "--looks", "3"]


@case
def design_operating_with_looks_at_the_same_participants(folder: Path) -> list[str]:
    looks = ["--family", "asOF", "--information", "0.49,0.5,1"]
    return ["design", "operating", "--rate0", "2", "--participants", "40", *looks]


@case
def design_graph_of_a_missing_file(folder: Path) -> list[str]:
    return ["design", "graph", str(folder / "graph.json")]


@case
def design_graph_that_is_no_json(folder: Path) -> list[str]:
    return ["design", "graph", written(folder / "graph.json", b"weights: 1")]


@case
def design_graph_that_is_deeply_nested(folder: Path) -> list[str]:
    return ["design", "graph", written(folder / "graph.json", b"[" * 100_000)]


@case
def design_graph_without_a_level(folder: Path) -> list[str]:
    return ["design", "graph", written(folder / "graph.json", b'{"weights": [1]}')]


@case
def design_graph_with_a_level_above_one(folder: Path) -> list[str]:
    return ["design", "graph", written(folder / "graph.json", GRAPH % b"2")]


@case
def design_graph_with_a_level_in_words(folder: Path) -> list[str]:
    return ["design", "graph", written(folder / "graph.json", GRAPH % b'"small"')]


@case
def design_recruit_for_nobody(folder: Path) -> list[str]:
    return ["design", "recruit"]


@case
def design_recruit_at_no_site(folder: Path) -> list[str]:
    return ["design", "recruit", "--target", "10"]


@case
def design_recruit_for_a_study_that_is_not_there(folder: Path) -> list[str]:
    return ["design", "recruit", str(folder / "nowhere")]


def operating(*others: str) -> list[str]:
    """Return a small grid of truths."""
    return ["design", "operating", "--rate0", "1", "--participants", "10", "--trials", "10", *others]


@case
def design_operating_with_a_dispersion_below_none(folder: Path) -> list[str]:
    return operating("--dispersion", "1,-1")


@case
def design_operating_without_trials(folder: Path) -> list[str]:
    return operating("--trials", "0")


@case
def design_operating_resumed_from_nothing(folder: Path) -> list[str]:
    return operating("--resume")


@case
def design_operating_over_another_file(folder: Path) -> list[str]:
    return operating("--out", written(folder / "truths.jsonl", b"1\n"))


@case
def design_operating_resumed_from_another_file(folder: Path) -> list[str]:
    return operating("--resume", "--out", written(folder / "truths.jsonl", b"1\n"))


@case
def design_operating_into_no_folder(folder: Path) -> list[str]:
    return operating("--out", str(folder / "nowhere" / "truths.jsonl"))


@case
def design_operating_by_a_test_that_is_not(folder: Path) -> list[str]:
    return operating("--tests", "wald,exact")


@case
def design_operating_at_an_address_without_a_backend(folder: Path) -> list[str]:
    return operating("--address", "127.0.0.1:9")


@case
def design_operating_without_jobs(folder: Path) -> list[str]:
    return operating("--jobs", "0")
