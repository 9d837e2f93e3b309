"""The vault in memory, and commitments."""

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.allocation.vault import MemoryVault, commit
from tests.allocation.vault_contract import VaultContract


class TestMemoryVault(VaultContract):
    @pytest.fixture
    def vault_factory(self):
        return MemoryVault


@given(st.binary(max_size=8), st.binary(max_size=8), st.binary(max_size=8), st.binary(max_size=8))
def test_commitments_are_equal_only_for_the_same_salt_and_message(salt, message, other_salt, other_message):
    same = (salt, message) == (other_salt, other_message)
    assert (commit(salt, message) == commit(other_salt, other_message)) is same


def test_a_commitment_is_sha_256_in_a_domain_of_its_own():
    assert len(commit(b"s", b"m")) == 64
    assert commit(b"s", b"m") == commit(b"s", b"m")
    assert commit(b"s", b"m") != sha256(b"sm").hexdigest()
