"""`equipoise design`: what is printed, in words and as JSON."""

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from equipoise.statistics.batch import operating as characteristics
from tests.cli.bad_inputs import run

SOURCE = Path(__file__).parents[2] / "src"
MAIN = "from equipoise.cli.main import main; main()"
COUNTS = ["--rate0", "0.8", "--ratio", "0.85", "--dispersion", "0.4", "--exposure", "0.75"]


def told(*arguments: str) -> dict:
    """What a command prints as JSON."""
    result = run(["design", *arguments, "--json"])
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_published_sizes_of_three_variance_forms():
    # Zhu and Lakkis, Stat Med 2014;33:376, in the first row of their examples.
    for variance, exact in (("null", 1254.23), ("alternative", 1315.69), ("pooled", 1310.73)):
        found = told("size", *COUNTS, "--power", "0.8", "--variance", variance)
        assert found["n1_exact"] == pytest.approx(exact, abs=0.005)
        assert found["total"] == found["n1"] + found["n2"]
        assert found["power"] >= 0.8


def test_power_is_that_of_the_size_that_was_found():
    found = told("size", *COUNTS, "--power", "0.9", "--allocation", "2")
    again = told("power", *COUNTS, "--n1", str(found["n1"]), "--n2", str(found["n2"]))
    assert again["power"] == pytest.approx(found["power"])
    assert found["n2"] == pytest.approx(2 * found["n1"], abs=1)


def test_published_bounds_of_three_equal_looks():
    found = told("bounds", "--family", "OF", "--looks", "3", "--alpha", "0.025")
    assert found["bounds"] == pytest.approx([3.4710914, 2.4544323, 2.0040356], abs=1e-6)
    unequal = told("bounds", "--family", "asHSD", "--information", "0.4,0.7,1", "--gamma=-4")
    assert unequal["information"] == [0.4, 0.7, 1]
    assert unequal["alpha_spent"][-1] == pytest.approx(0.025)


def test_published_graph(tmp_path):
    # Bretz, Maurer, Brannath and Posch, Stat Med 2009;28:586.
    file = tmp_path / "graph.json"
    given = {
        "weights": [0.5, 0.5, 0, 0],
        "transitions": [[0, 0.5, 0.5, 0], [0.5, 0, 0, 0.5], [0, 1, 0, 0], [1, 0, 0, 0]],
        "p_values": [0.018, 0.01, 0.105, 0.006],
        "alpha": 0.025,
    }
    file.write_text(json.dumps(given), encoding="utf-8")
    found = told("graph", str(file))
    assert found["rejected"] == [True, True, False, True]
    assert found["adjusted"] == pytest.approx([0.024, 0.02, 0.105, 0.024])


def test_recruitment_takes_a_study_for_what_is_not_said():
    whole = told("recruit", "mesems", "--trials", "200")
    assert (whole["target"], whole["sites"]) == (144, 15)
    assert whole["low"] < whole["median"] < whole["high"]
    assert told("recruit", "mesems", "--trials", "200", "--sites", "30")["median"] < whole["median"]


OPERATING = ["design", "operating", "--rate0", "2", "--participants", "40", "--trials", "300"]
GRID = ["--ratio", "1,0.5", "--dispersion", "0.5,1"]


def test_operating_goes_over_a_grid_of_truths_and_power_is_more_than_type_i_error():
    lines = told(*OPERATING[1:], *GRID)
    assert [(line["ratio"], line["dispersion"]) for line in lines] == [(1, 0.5), (1, 1), (0.5, 0.5), (0.5, 1)]
    for test in ("wald", "score", "likelihood_ratio"):
        null, alternative = lines[0]["rejected"][test], lines[2]["rejected"][test]
        assert null["value"] < 0.15 < alternative["value"]
        assert null["error"] == pytest.approx((null["value"] * (1 - null["value"]) / 300) ** 0.5)
    assert sum(lines[0]["statuses"].values()) == 300
    table = run([*OPERATING, *GRID]).stdout.splitlines()
    assert len([line for line in table if line.split()[0] in ("1", "0.5")]) == 4


LOOKING = ["--family", "asOF", "--information", "0.5,1", "--alpha", "0.025", "--sides", "1"]


def test_trials_that_are_looked_at_early_take_fewer_participants_where_there_is_an_effect():
    futility = ["--futility", "asHSD", "--futility-gamma", "-2"]
    none, effect = told(*OPERATING[1:], *LOOKING, *futility, "--ratio", "1,0.2")
    assert [look["participants"] for look in effect["looks"]] == [20, 40]
    assert effect["expected"]["wald"] < 40 and none["expected"]["wald"] < 40
    assert none["looks"][0]["futile"]["score"]["value"] > 0.3 > none["rejected"]["score"]["value"]
    for line in (none, effect):
        for test in line["tests"]:
            ends = sum(look["rejected"][test]["value"] for look in line["looks"])
            assert ends == pytest.approx(line["rejected"][test]["value"])
    table = run([*OPERATING, *LOOKING, *futility]).stdout
    assert "rejects at 20" in table and "futile at 20" in table and "participants  " in table
    assert "futile at 40" not in table
    assert "futile" not in run([*OPERATING, *LOOKING]).stdout


def test_bounds_for_futility_are_told_with_the_drift_that_spends_beta():
    asked = ["bounds", "--family", "asOF", "--looks", "3", "--futility", "asHSD", "--futility-gamma", "-2"]
    free, binding = told(*asked), told(*asked, "--binding")
    assert len(free["futility_bounds"]) == 3
    assert free["futility_bounds"][-1] == pytest.approx(free["bounds"][-1])
    assert free["beta_spent"][-1] == pytest.approx(0.2)
    assert binding["bounds"][-1] < free["bounds"][-1]
    assert free["futility"] == {"family": "asHSD", "beta": 0.2, "binding": False, "gamma": -2.0}


def test_what_was_done_before_an_interruption_is_kept_and_gone_on_with(tmp_path, monkeypatch):
    whole, parts = tmp_path / "whole.jsonl", tmp_path / "parts.jsonl"
    assert run([*OPERATING, *GRID, "--out", str(whole)]).exit_code == 0
    simulate, runs = characteristics.operating_characteristics, []

    def interrupted(design, **settings):
        runs.append(design)
        if len(runs) == 3:
            raise KeyboardInterrupt
        return simulate(design, **settings)

    monkeypatch.setattr(characteristics, "operating_characteristics", interrupted)
    ended = run([*OPERATING, *GRID, "--out", str(parts)])
    assert ended.exit_code == 130
    assert ended.stderr == f"interrupted after 2 of 4 truths; go on with --resume --out {parts}\n"
    assert run([*OPERATING, *GRID, "--out", str(parts)]).exit_code == 1, "what is there is not written over"
    # As if it had been killed in the middle of a line.
    parts.write_text(parts.read_text(encoding="utf-8") + '{"rate0": 2', encoding="utf-8")
    assert run([*OPERATING, *GRID, "--out", str(parts), "--resume"]).exit_code == 0
    assert len(runs) == 5
    assert parts.read_text(encoding="utf-8") == whole.read_text(encoding="utf-8")


def test_what_an_interruption_leaves_is_json_still(monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(characteristics, "operating_characteristics", interrupted)
    ended = run([*OPERATING, "--json"])
    assert (ended.exit_code, json.loads(ended.stdout)) == (130, [])
    assert ended.stderr == "interrupted after 0 of 1 truth\n"


def test_every_test_has_a_column():
    tests = ["wald_observed", "poisson_robust", "score"]
    lines = told(*OPERATING[1:-1], "20", "--tests", ",".join(tests))
    assert set(lines[0]["rejected"]) == set(tests)
    every = told(*OPERATING[1:-1], "2", "--tests", "all")
    assert tuple(every[0]["rejected"]) == characteristics.TESTS
    heading, line = run([*OPERATING[:-1], "2", "--tests", "all"]).stdout.splitlines()[2:4]
    assert "permutation       bias of log          coverage" in heading
    assert line.count("(") == len(characteristics.TESTS) + 2


def test_what_no_trial_tells_is_null_and_none():
    rare = ["design", "operating", "--rate0", "1e-9", "--participants", "8", "--trials", "2"]
    line = json.loads(run([*rare, "--json"]).stdout)[0]
    assert (line["bias"], line["coverage"]) == (None, {"value": None, "error": None})
    assert "of these 2 no events" in (printed := run(rare).stdout)
    assert printed.count("none") == 2


def test_lines_of_other_truths_stay_in_the_file_and_out_of_the_answer(tmp_path):
    file = ["--out", str(tmp_path / "truths.jsonl")]
    told(*OPERATING[1:], "--ratio", "0.5", *file)
    lines = told(*OPERATING[1:], "--ratio", "1", *file, "--resume")
    assert [line["ratio"] for line in lines] == [1]
    assert len(Path(file[1]).read_text(encoding="utf-8").splitlines()) == 2


LONGER = ["design", "operating", "--rate0", "2", "--participants", "40", "--trials", "20000", "--json"]
CLUSTER = """
import sys
from distributed import LocalCluster
from equipoise.cli.main import main
with LocalCluster(n_workers=1, processes=False, protocol="tcp://", host="127.0.0.1",
                  dashboard_address="127.0.0.1:0") as cluster:
    sys.argv += ["--backend", "dask", "--address", cluster.scheduler_address]
    main()
"""


@pytest.mark.parametrize(
    ("module", "started"),
    [
        ("joblib", ["-c", MAIN, *LONGER, "--jobs", "2"]),
        ("ray", ["-c", MAIN, *LONGER, "--jobs", "2", "--backend", "ray"]),
        ("distributed", ["-c", MAIN, *LONGER, "--jobs", "2", "--backend", "dask"]),
        ("distributed", ["-c", CLUSTER, *LONGER]),
    ],
    ids=["processes", "ray", "dask", "a cluster that runs already"],
)
def test_the_same_seed_gives_the_same_numbers_on_every_backend(module, started):
    if find_spec(module) is None:
        pytest.skip(f"{module} is not installed")
    done = subprocess.run(
        [sys.executable, *started],
        env={**os.environ, "PYTHONPATH": str(SOURCE)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == run(LONGER).stdout


def test_in_words_it_is_assumptions_and_findings():
    result = run(["design", "power", *COUNTS, "--n1", "100", "--n2", "100"])
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0] == "assumed" and "found" in lines
    assert any(line.split() == ["rate0", "0.8"] for line in lines)
