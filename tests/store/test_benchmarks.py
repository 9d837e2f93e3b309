"""The benchmarks run; what they measure is not asked here."""

import subprocess
import sys

from tests.store.samples import ROOT, environment


def test_benchmarks_run():
    command = [sys.executable, "-m", "benchmarks", "--quick"]
    done = subprocess.run(
        command, cwd=ROOT, env=environment(), capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    for figure in (
        "commands recorded",
        "every hash and link",
        "replayed into the tables",
        "rehearsal in memory",
        "sealing",
    ):
        assert figure in done.stdout
