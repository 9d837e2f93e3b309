"""`equipoise design`: what is printed, in words and as JSON."""

import json

import pytest

from equipoise.statistics.batch import operating as characteristics
from tests.cli.bad_inputs import run

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
    assert "interrupted after 2 of 4 truths" in ended.stdout
    assert run([*OPERATING, *GRID, "--out", str(parts)]).exit_code == 1, "what is there is not written over"
    # As if it had been killed in the middle of a line.
    parts.write_text(parts.read_text(encoding="utf-8") + '{"rate0": 2', encoding="utf-8")
    assert run([*OPERATING, *GRID, "--out", str(parts), "--resume"]).exit_code == 0
    assert len(runs) == 5
    assert parts.read_text(encoding="utf-8") == whole.read_text(encoding="utf-8")


def test_in_words_it_is_assumptions_and_findings():
    result = run(["design", "power", *COUNTS, "--n1", "100", "--n2", "100"])
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0] == "assumed" and "found" in lines
    assert any(line.split() == ["rate0", "0.8"] for line in lines)
