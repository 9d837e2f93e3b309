"""What every vault must do: a test class to be derived from, with a fixture `vault_factory`.

class TestMyVault(VaultContract):
    @pytest.fixture
    def vault_factory(self): ...   # a function that returns a new, empty vault at each call
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from equipoise.allocation.vault import Vault, VaultConflict, VaultMissing, commit

VaultFactory = Callable[[], Vault]


class VaultContract:
    @pytest.fixture
    def vault(self, vault_factory: VaultFactory) -> Vault:
        return vault_factory()

    @pytest.mark.parametrize("plaintext", [b"", b"1", b"\x00\xff\x80", b"x" * 100_000])
    def test_what_is_sealed_comes_back(self, vault: Vault, plaintext: bytes):
        vault.seal("plan", plaintext)
        assert vault.open("plan") == plaintext

    def test_a_new_vault_is_empty(self, vault: Vault):
        assert vault.names() == ()

    def test_names_are_sorted(self, vault: Vault):
        for name in ("plan", "arm/R-2", "arm/R-1"):
            vault.seal(name, b"0")
        assert vault.names() == ("arm/R-1", "arm/R-2", "plan")

    def test_what_is_sealed_is_never_replaced(self, vault: Vault):
        vault.seal("plan", b"first")
        with pytest.raises(VaultConflict, match="plan"):
            vault.seal("plan", b"second")
        assert vault.open("plan") == b"first"

    def test_the_same_again_is_no_conflict(self, vault: Vault):
        vault.seal("plan", b"first")
        vault.seal("plan", b"first")
        assert vault.names() == ("plan",)

    def test_what_was_never_sealed_is_missing(self, vault: Vault):
        with pytest.raises(VaultMissing, match="plan"):
            vault.open("plan")

    def test_vaults_are_apart(self, vault_factory: VaultFactory):
        vault_factory().seal("plan", b"first")
        assert vault_factory().names() == ()

    def test_the_commitment_is_the_one_that_anybody_can_check(self, vault: Vault):
        assert vault.commitment(b"salt", b"message") == commit(b"salt", b"message")

    def test_of_two_at_once_one_wins(self, vault: Vault):
        barrier = Barrier(2)

        def seal(plaintext: bytes) -> bool:
            barrier.wait(timeout=60)
            try:
                vault.seal("plan", plaintext)
            except VaultConflict:
                return False
            return True

        with ThreadPoolExecutor(2) as pool:
            won = list(pool.map(seal, [b"first", b"second"]))
        assert sorted(won) == [False, True]
        assert vault.open("plan") == (b"first" if won[0] else b"second")
