"""What is still open before the lock: one rule, for the lock itself and for those who work towards it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from equipoise.allocation.state import AllocationRow
from equipoise.capture.evidence import casebook_signed
from equipoise.capture.state import QueryRow
from equipoise.conduct.coding import uncoded
from equipoise.definition.model.definition import StudyDefinition
from equipoise.enrolment.state import ParticipantRow
from equipoise.imaging.state import ScanRow
from equipoise.ledger.tables import Tables


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenMatter:
    """One thing to settle. `kind` is query, scan, coding, participant or casebook; `subject` is its code.

    One that does not block the lock is settled all the same by those who may know of it.
    """

    kind: str
    subject: str
    participant: str
    state: str
    text: str
    blocks: bool = True


def _everybody(participant: str) -> bool:
    return True


def open_matters(
    definition: StudyDefinition,
    tables: Tables,
    *,
    unmasking: bool = False,
    of: Callable[[str], bool] = _everybody,
) -> Iterator[OpenMatter]:
    """Iterate over what is unfinished of the participants asked for: queries, readings, coding, signatures.

    Queries about what would unmask come only when asked for, and do not block the lock: who locks is masked,
    and the refusal would tell of them.
    """
    for query in tables.all(QueryRow):
        if query.status != "closed" and (unmasking or not query.unmasking) and of(query.participant):
            text = f"query {query.query} is {query.status}"
            yield _matter("query", query.query, query.participant, query.status, text, not query.unmasking)
    for scan in tables.all(ScanRow):
        if scan.status not in ("read", "refused") and of(scan.participant):
            yield _matter(
                "scan", scan.scan, scan.participant, scan.status, f"scan {scan.scan} is {scan.status}"
            )
    for words, state in uncoded(definition, tables):
        if of(words.participant):
            text = f"the words '{words.text}' of {words.participant} are not coded as they stand"
            yield _matter("coding", words.text, words.participant, state, text)
    for allocated in tables.all(AllocationRow):
        code = allocated.participant
        if not of(code):
            continue
        if tables.require(ParticipantRow, code).status not in ("completed", "withdrawn"):
            yield _matter(
                "participant", code, code, "randomised", f"participant {code} is still in the trial"
            )
        if not casebook_signed(tables, code):
            yield _matter(
                "casebook", code, code, "unsigned", f"the casebook of {code} is not signed as it stands"
            )


def _matter(
    kind: str, subject: str, participant: str, state: str, text: str, blocks: bool = True
) -> OpenMatter:
    return OpenMatter(
        kind=kind, subject=subject, participant=participant, state=state, text=text, blocks=blocks
    )
