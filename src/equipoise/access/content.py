"""Entry kinds: what an entry of the ledger holds, and who may see it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING, dataclass, fields
from enum import Enum
from typing import Any, ClassVar, Self, TypeVar

from equipoise.ledger.blots import NONCE
from equipoise.ledger.entry import Draft, Entry


class Audience(Enum):
    """Who an entry kind is for. `visibility` maps role kinds to audiences; unlisted means unseen."""

    TRIAL = "the running of the trial: sites, roles, lock"
    CONDUCT = "a participant's course, without anything that unmasks"
    READING = "scans and blinded reads"
    PRODUCT = "what was made and given; betrays the allocation"
    UNMASKED = "the allocation itself, or what was said about it"


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What an entry says, in the past tense; fields are JSON values, dates and decimals as text.

    A field that joins a kind later has a default, and is left out where it has that value: what was recorded
    before it joined stays as it is. Only what stands in its `texts`, and in those of its `answers` that are
    free text, can be blotted out.
    """

    kind: ClassVar[str] = ""
    version: ClassVar[int] = 1
    audience: ClassVar[Audience]
    texts: ClassVar[tuple[str, ...]] = ()
    answers: ClassVar[tuple[str, ...]] = ()

    def draft(self, clinical_time: str | None = None) -> Draft:
        """Return this content as a draft for the ledger."""
        content = {name: getattr(self, name) for name in FIELD_NAMES[self.kind]}
        for name, default in LATER_FIELDS[self.kind].items():
            if content[name] == default:
                del content[name]
        return Draft(kind=self.kind, version=self.version, content=content, clinical_time=clinical_time)

    @classmethod
    def of(cls, entry: Entry) -> Self:
        """Read the content of an entry of this kind."""
        said = {name: value for name, value in entry.content.items() if name != NONCE}
        return cls(**{k: tuple(v) if isinstance(v, list) else v for k, v in said.items()})


C = TypeVar("C", bound=Content)
KINDS: dict[str, type[Content]] = {}
FIELD_NAMES: dict[str, tuple[str, ...]] = {}
LATER_FIELDS: dict[str, dict[str, Any]] = {}


def entry_kind(
    *, audience: Audience, version: int = 1, texts: tuple[str, ...] = (), answers: tuple[str, ...] = ()
) -> Callable[[type[C]], type[C]]:
    """Register a content class under its own name; a kind without an audience cannot be registered.

    `texts` are the fields in which people write what they like, `answers` those that hold answers to items;
    a kind that derives from another has those of the other.
    """

    def register(cls: type[C]) -> type[C]:
        if cls.__name__ in KINDS:
            raise ValueError(f"the entry kind {cls.__name__} is registered twice")
        names = tuple(each.name for each in fields(cls))
        if NONCE in names:
            raise ValueError(f"the entry kind {cls.__name__} may have no field {NONCE}")
        if not {*texts, *answers} <= set(names):
            raise ValueError(f"the entry kind {cls.__name__} has no such texts or answers")
        cls.kind, cls.version, cls.audience = cls.__name__, version, audience
        cls.texts, cls.answers = texts or cls.texts, answers or cls.answers
        KINDS[cls.kind] = cls
        FIELD_NAMES[cls.kind] = names
        LATER_FIELDS[cls.kind] = {
            each.name: each.default for each in fields(cls) if each.default is not MISSING
        }
        return cls

    return register
