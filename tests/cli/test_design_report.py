"""`equipoise design STUDY`: what is printed, what the report holds, and what an interruption leaves."""

import json
import re
from pathlib import Path

import pytest

from equipoise.statistics.batch import operating as characteristics
from tests.cli.bad_inputs import INVENTED, run
from tests.definition.folders import write_study


@pytest.fixture(scope="module")
def calm(tmp_path_factory):
    """The example study of the documentation: counts, with an interim analysis."""
    return str(write_study(tmp_path_factory.mktemp("study") / "calm"))


@pytest.fixture(scope="module")
def written(calm, tmp_path_factory):
    """The report of the example study, with few simulated trials."""
    out = tmp_path_factory.mktemp("report") / "design.html"
    result = run(["design", calm, "--out", str(out), "--trials", "200"])
    assert result.exit_code == 0, result.output
    assert result.stdout == f"written: {out}\n"
    return out


def told(*arguments):
    """What a command prints as JSON."""
    result = run(["design", *arguments, "--json"])
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_the_pilot_has_the_power_that_its_number_of_participants_is_justified_with():
    found = told("mesems")
    assert (found["n1"], found["n2"], found["total"], found["planned"]) == (72, 72, 144, 144)
    assert found["attained"] == pytest.approx(0.8029, abs=1e-4)
    # The size by itself, from the same assumptions.
    options = ["--rate0", "1.19", "--ratio", "0.5", "--dispersion", "1.8", "--exposure", "3"]
    again = told("size", *options, "--power", "0.8", "--variance", "pooled")
    assert (again["n1"], again["power"]) == (72, pytest.approx(found["attained"]))
    assert found["operating"] == []
    assert found["recruitment"]["low"] < found["recruitment"]["median"] < found["recruitment"]["high"]


def test_without_options_it_is_a_paragraph_and_tables_to_paste(calm):
    result = run(["design", calm])
    assert result.exit_code == 0
    assert "18 participants in each group must be analysed" in result.stdout
    assert (
        "40 participants are to be randomised: 20 to Magnesium first and 20 to Placebo first."
        in result.stdout
    )
    for title in ("Sample size determination", "Deviations from one assumption", "Analyses and boundaries"):
        assert f"\n## {title}" in result.stdout
    assert run(["design", "report", calm]).stdout == result.stdout


def test_a_misspelt_command_is_not_taken_for_a_study():
    result = run(["design", "sizes"])
    assert result.exit_code == 2
    assert "size" in result.stderr
    assert "STUDY-MISSING" in run(["design", "curlew_of_the_north"]).stderr


def test_the_report_needs_nothing_else(written):
    page = written.read_text(encoding="utf-8")
    assert not re.search(r"<script|<link|@import|url\((?!#)|(src|href)=\"(?!#)", page)
    assert page.count("<svg") == 6
    for words in ("For the protocol", "If the assumptions are wrong", "Interim", "Recruitment", "worth"):
        assert words in page
    assert [path.name for path in written.parent.iterdir()] == [written.name]


def test_another_kind_of_endpoint_is_reported_without_simulations(tmp_path):
    out = tmp_path / "design.html"
    assert run(["design", str(INVENTED / "dipper"), "--out", str(out)]).exit_code == 0
    page = out.read_text(encoding="utf-8")
    assert "Trials are simulated for endpoints that are counts." in page
    assert "35 events in all" in page
    assert page.count("<svg") == 4


def test_what_was_done_before_an_interruption_is_kept_and_gone_on_with(calm, written, tmp_path, monkeypatch):
    simulate, runs = characteristics.operating_characteristics, []

    def interrupted(design, **settings):
        runs.append(design)
        if len(runs) == 3:
            raise KeyboardInterrupt
        return simulate(design, **settings)

    monkeypatch.setattr(characteristics, "operating_characteristics", interrupted)
    out = tmp_path / "design.html"
    asked = ["design", calm, "--out", str(out), "--trials", "200"]
    ended = run([*asked, "--json"])
    assert ended.exit_code == 130
    assert ended.stdout == ""
    assert "interrupted after 2 of 12 truths; go on with --resume" in ended.stderr
    part = Path(f"{out}.part")
    # What is left of another seed is simulated anew; the last line is as if it had been killed in its middle.
    other = part.read_text(encoding="utf-8").splitlines()[0].replace('"seed": 1', '"seed": 7')
    part.write_text(f'{other}\n{part.read_text(encoding="utf-8")}{{"ratio": 1', encoding="utf-8")
    assert run([*asked, "--resume", "--threads", "2"]).exit_code == 0
    assert len(runs) == 3 + 10
    assert out.read_text(encoding="utf-8") == written.read_text(encoding="utf-8")
    assert not part.exists()
