"""What every part of a view stands on: the state of a trial, and the rules of who may see what of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from equipoise.access.content import KINDS, Audience
from equipoise.access.refusal import Refusal, Refused
from equipoise.access.visibility import Viewer
from equipoise.capture.findings import looks_at_unmasking
from equipoise.capture.state import QueryRow, visible_values
from equipoise.coding.decide import Coder
from equipoise.conduct.trail import AuditLine, Trail
from equipoise.conduct.versions import Versions
from equipoise.definition.expression import Node
from equipoise.definition.model.definition import StudyDefinition
from equipoise.enrolment.state import ParticipantRow
from equipoise.ledger.tables import Tables


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """A trial before the eyes of one viewer. `need...` raises Refused for what is not for them.

    `definition` is the version of the study that the viewer works under.
    """

    definition: StudyDefinition
    versions: Versions
    tables: Tables
    trail: Trail
    viewer: Viewer
    coder: Coder

    def definition_of(self, participant: str) -> StudyDefinition:
        """Return the version of the study that holds at a participant's site."""
        return self.versions.at(self.tables, participant.partition("-")[0])

    @property
    def hides_unmasking(self) -> bool:
        """Whether what would betray an allocation is kept from the viewer."""
        return Audience.PRODUCT not in self.viewer.audiences

    def need(self, audience: Audience) -> None:
        """The viewer must belong to an audience."""
        if audience not in self.viewer.audiences:
            raise self.refused(audience.value)

    def need_participant(self, participant: str) -> None:
        """The viewer must see this participant, who must exist; the refusal does not tell which it is."""
        self.need(Audience.CONDUCT)
        exists = self.tables.get(ParticipantRow, participant) is not None
        if not exists or not self.viewer.sees_participant(participant):
            raise Refused(
                Refusal(
                    "ACC-PARTICIPANT",
                    f"The role {self.viewer.role.id} sees no participant {participant}.",
                    "Check the code, and the site that you act for.",
                )
            )

    def refused(self, what: str) -> Refused:
        """Return the refusal of something that is not for this viewer."""
        return Refused(
            Refusal(
                "ACC-UNSEEN",
                f"The role {self.viewer.role.id} does not see {what}.",
                "Ask somebody whose role does.",
            )
        )

    def people(self) -> Iterator[ParticipantRow]:
        """Iterate over the participants within the viewer's scope, by code; needs the audience CONDUCT."""
        self.need(Audience.CONDUCT)
        rows = self.tables.all(ParticipantRow)
        return (row for row in rows if self.viewer.sees_participant(row.participant))

    def sees_site(self, site: str) -> bool:
        """Whether a site is within the viewer's scope."""
        return self.viewer.site is None or site == self.viewer.site

    def sees_line(self, line: AuditLine) -> bool:
        """Whether a line of the audit trail is for the viewer, in what it says and of whom."""
        about = line.content.get("participant")
        in_scope = line.site is None or self.sees_site(line.site)
        # What is recorded of several participants at once is under no site.
        in_scope = in_scope and (not isinstance(about, str) or self.viewer.sees_participant(about))
        return in_scope and KINDS[line.kind].audience in self.viewer.audiences

    def hides_form(self, form_id: str) -> bool:
        """Whether a form as a whole is kept from the viewer."""
        form = self.definition.form(form_id)
        return self.hides_unmasking and form is not None and form.unmasking

    def hides_condition(self, condition: Node) -> bool:
        """Whether a condition looks at what is kept from the viewer."""
        return self.hides_unmasking and looks_at_unmasking(self.definition, condition)

    def shows_query(self, query: QueryRow) -> bool:
        """Whether what a query asks about may be known to the viewer."""
        return not (query.unmasking and self.hides_unmasking)

    def shown_values(self, form_id: str, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return what maps the items of a form to anything, without the items that the viewer may not see."""
        return visible_values(self.definition, form_id, values, masked=self.hides_unmasking)
