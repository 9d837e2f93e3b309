"""Where a form stands: whose it is, at which encounter or in which row, and what the reader may do there."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.http import Http404
from django.urls import reverse
from django.utils.translation import gettext as _

from equipoise.access.content import Audience
from equipoise.access.permissions import check_filled_by
from equipoise.conduct.view.lines import RecordLine, TimelineLine
from equipoise.definition.model.definition import StudyDefinition
from equipoise.definition.model.forms import Form
from equipoise.web.request import ClinicRequest
from equipoise.web.visible import Gives


@dataclass(frozen=True, slots=True)
class FormPlace:
    """One form of one participant; `row` is None for a form that does not repeat, and for a row to come."""

    participant: str
    form: Form
    encounter: TimelineLine | None
    row: int | None
    hidden: frozenset[str]
    zone: ZoneInfo

    @property
    def encounter_id(self) -> str | None:
        """The encounter, None between encounters."""
        return self.encounter.encounter if self.encounter else None

    @property
    def name(self) -> str:
        """Where it stands, in words."""
        if self.row:
            return _("row %(row)s") % {"row": self.row}
        return self.encounter.name if self.encounter else ""

    @property
    def at_encounter(self) -> bool:
        """Whether its address names an encounter; a recorded row is found by its number alone."""
        return self.encounter is not None and not (self.form.repeating and self.row)

    @property
    def address(self) -> str:
        """Where it is shown."""
        return self._address("form", "log_row")

    @property
    def correction(self) -> str:
        """Where it is corrected."""
        return self._address("correct_form", "correct_log_row")

    def item_address(self, item: str) -> str:
        """Return where the course of one of its items is shown."""
        return self._address("item", "log_item", item)

    @property
    def pointed(self) -> dict[str, str]:
        """What names it in the address of a command."""
        given = {"participant": self.participant, "form": self.form.id}
        if self.encounter_id and not self.row:
            given["encounter"] = self.encounter_id
        if self.row:
            given["row"] = str(self.row)
        return given

    def command(self, name: str, **more: str) -> str:
        """Return the address of a command that is given here and leads back here."""
        return f"{reverse(f'do_{name}')}?{urlencode(self.pointed | more | {'next': self.address})}"

    def _address(self, form: str, row: str, *more: str) -> str:
        if self.at_encounter:
            return reverse(form, args=[self.participant, self.form.id, self.encounter_id, *more])
        return reverse(row, args=[self.participant, self.form.id, self.row or 0, *more])


def find_place(
    request: ClinicRequest, participant: str, form: str, encounter: str | None = None, row: int | None = None
) -> FormPlace:
    """Return a place that there is for the reader; raises Http404, and Refused for a participant unseen."""
    timeline = request.seen.timeline(participant, request.today)
    found = request.definition.form(form)
    hides = Audience.PRODUCT not in request.seen.viewer.audiences
    if row:
        record = request.seen.record(participant, form, None, row)
        encounter = record.encounter if record else None
    line = next((each for each in timeline if each.encounter == encounter), None)
    if found is None or (hides and found.unmasking) or (encounter and line is None):
        raise Http404
    if row is not None and bool(row) != found.repeating:
        raise Http404
    return FormPlace(
        participant=participant,
        form=found,
        encounter=line,
        row=row or None,
        hidden=frozenset(item.id for item in found.items if hides and item.unmasking),
        zone=request.clinic.zone(participant.split("-", maxsplit=1)[0]),
    )


def place_of(request: ClinicRequest, participant: str, record: RecordLine) -> FormPlace:
    """Return the place of a filled form."""
    row = record.row if record.row else None
    return find_place(request, participant, record.form, record.encounter or None, row)


def find_record(request: ClinicRequest, place: FormPlace) -> RecordLine | None:
    """Return what was filled in at a place, or None."""
    if place.form.repeating and not place.row:
        return None
    return request.seen.record(place.participant, place.form.id, place.encounter_id, place.row)


def is_log(definition: StudyDefinition, form: Form) -> bool:
    """Tell whether a form may be filled in at any time; one that is retired, never."""
    return not form.retired and (form.log or form.id in definition.schedule.logs)


def is_planned(definition: StudyDefinition, place: FormPlace) -> bool:
    """Tell whether a form belongs where it stands."""
    if is_log(definition, place.form):
        return True
    if place.encounter is None:
        return False
    planned = definition.schedule.encounter(place.encounter.encounter)
    forms = definition.schedule.forms_at(planned.id) if planned else definition.schedule.unscheduled
    return place.form.id in forms and not place.form.retired


def why_closed(request: ClinicRequest, place: FormPlace) -> str:
    """Return why nothing can be recorded at a place now, by nobody; empty where it can."""
    if request.seen.trial().status != "open":
        return _("The database is locked: nothing is recorded any more.")
    if any(line.participant == place.participant for line in request.seen.freezes()):
        return _("The data of this participant are frozen. A data manager can open them again.")
    if place.encounter is not None and place.encounter.took_place_on is None:
        return _("The encounter has not taken place yet.")
    return ""


def may_fill(request: ClinicRequest, form: Form) -> bool:
    """Tell whether the reader's role fills in a form."""
    gives = Gives(("RecordForm",)).admits(request.seen.viewer)
    return gives and check_filled_by(request.version, request.actor, form.id) is None
