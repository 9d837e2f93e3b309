"""What verify says of an intact trial: its heads, held against a key, and its register of identities."""

import json
import re

import pytest

from equipoise.store.identities import IdentityRegister
from tests.cli.bad_inputs import run, study

KEY = bytes(range(32))


@pytest.fixture(scope="module")
def rehearsed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("rehearsed")
    result = run(["rehearse", str(study(folder)), "--out", str(folder / "trial"), "--participants", "3"])
    assert result.exit_code == 0, result.output
    return folder / "trial", result.stdout


def verify(folder, *more):
    result = run(["verify", str(folder / "trial.sqlite"), *more])
    assert result.exit_code == 0, result.output
    return result.stdout


def test_the_public_key_that_a_rehearsal_names_signed_its_heads(rehearsed):
    folder, said = rehearsed
    (key,) = re.findall(r"^signed    with the public key ([0-9a-f]{64})$", said, re.MULTILINE)
    expected = f"published 2 heads, all in the chain, signed by {key[:16]}\n"
    assert expected in verify(folder)
    assert expected in verify(folder, "--public-key", key)
    published = [json.loads(line) for line in (folder / "heads.jsonl").read_text().splitlines()]
    assert [line["occasion"] for line in published] == ["database lock", "unblinding"]
    assert {line["key"] for line in published} == {key}
    assert (folder / "head.key").stat().st_mode & 0o777 == 0o600
    assert "published" not in verify(folder, "--quick")


def test_another_rehearsal_has_another_key_and_the_same_ledger(rehearsed, tmp_path):
    folder, _ = rehearsed
    result = run(["rehearse", str(study(tmp_path)), "--out", str(tmp_path / "trial"), "--participants", "3"])
    assert result.exit_code == 0, result.output
    one, other = ((each / "heads.jsonl").read_text() for each in (folder, tmp_path / "trial"))
    said = [
        [(line["position"], line["hash"]) for line in map(json.loads, text.splitlines())]
        for text in (one, other)
    ]
    assert said[0] == said[1]
    assert one != other


def test_a_register_of_identities_is_held_against_the_ledger_without_its_key(rehearsed):
    folder, _ = rehearsed
    register = IdentityRegister.create(folder / "identities.sqlite", KEY)
    try:
        assert "VERIFY-IDENTITY" not in verify(folder)
        register.record("NZ01-001", "Aroha", "")
        said = verify(folder)
        assert "warning VERIFY-IDENTITY: An identity is kept for NZ01-001 that is not, or no longer," in said
        assert "Aroha" not in said
    finally:
        register.close()
        (folder / "identities.sqlite").unlink()
