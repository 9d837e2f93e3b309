"""The names that people are shown under: accounts are what the ledger holds, names are what readers know."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from equipoise.web.accounts.models import Account


def names_of(accounts: Iterable[str]) -> Mapping[str, str]:
    """Map accounts to their printed names, in one query; one that the clinic does not know keeps its own."""
    wanted = set(accounts)
    found = Account.objects.filter(username__in=wanted).values_list("username", "printed_name")
    return {each: each for each in wanted} | {account: name for account, name in found if name}
