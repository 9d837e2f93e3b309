"""Who may come to a page: every route declares one of these."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeGuard

from equipoise.access.content import Audience
from equipoise.access.permissions import PERMITTED
from equipoise.access.visibility import Viewer
from equipoise.conduct.view import MaskedView, UnmaskedView


@dataclass(frozen=True, slots=True)
class Anyone:
    """Whoever has the address, logged in or not: nothing of the trial is on such a page."""

    words: str = "anyone"

    def admits(self, viewer: Viewer) -> bool:
        """Tell whether a viewer may come."""
        return True


@dataclass(frozen=True, slots=True)
class AnyAccount:
    """Whoever is logged in, with or without a role: nothing of the trial is on such a page."""

    words: str = "any account"

    def admits(self, viewer: Viewer) -> bool:
        """Tell whether a viewer may come."""
        return True


@dataclass(frozen=True, slots=True)
class AnyRole:
    """Whoever holds a role in the trial."""

    words: str = "any role"

    def admits(self, viewer: Viewer) -> bool:
        """Tell whether a viewer may come."""
        return True


@dataclass(frozen=True, slots=True)
class Sees:
    """Whoever belongs to an audience (see `access.visibility`)."""

    audience: Audience

    @property
    def words(self) -> str:
        """What the documentation says."""
        return f"sees {self.audience.name.lower()}"

    def admits(self, viewer: Viewer) -> bool:
        """Tell whether a viewer may come."""
        return self.audience in viewer.audiences


@dataclass(frozen=True, slots=True)
class Gives:
    """Whoever may give one of these commands (see `access.permissions`)."""

    commands: tuple[str, ...]

    @property
    def words(self) -> str:
        """What the documentation says."""
        return "gives " + ", ".join(self.commands)

    def admits(self, viewer: Viewer) -> bool:
        """Tell whether a viewer may come."""
        return any(viewer.role.kind in PERMITTED[command] for command in self.commands)


@dataclass(frozen=True, slots=True)
class Kinds:
    """The roles of these kinds."""

    kinds: tuple[str, ...]

    @property
    def words(self) -> str:
        """What the documentation says."""
        return "is " + ", ".join(self.kinds)

    def admits(self, viewer: Viewer) -> bool:
        """Tell whether a viewer may come."""
        return viewer.role.kind in self.kinds


@dataclass(frozen=True, slots=True)
class Both:
    """Whoever fulfils two of these at once."""

    first: Sees | Gives | Kinds
    second: Sees | Gives | Kinds

    @property
    def words(self) -> str:
        """What the documentation says."""
        return f"{self.first.words} and {self.second.words}"

    def admits(self, viewer: Viewer) -> bool:
        """Tell whether a viewer may come."""
        return self.first.admits(viewer) and self.second.admits(viewer)


Visible = Anyone | AnyAccount | AnyRole | Sees | Gives | Kinds | Both


def shows_arms(seen: MaskedView | UnmaskedView) -> TypeGuard[UnmaskedView]:
    """Tell whether a viewer sees the arms, and so does whoever takes what it sees."""
    return isinstance(seen, UnmaskedView) and Audience.UNMASKED in seen.viewer.audiences
