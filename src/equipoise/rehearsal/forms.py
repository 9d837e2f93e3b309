"""Filling in forms: what is true of a person, what is written down by mistake, and how queries settle it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from equipoise.access.actor import Actor
from equipoise.access.refusal import Refusal
from equipoise.capture.commands import AnswerQuery, CloseQuery, ConfirmLog, CorrectForm, OpenQuery, RecordForm
from equipoise.capture.state import QueryRow
from equipoise.definition.expression import PartialDate, Truth, Value, references, truth
from equipoise.definition.model.forms import Form, Item
from equipoise.definition.model.rehearsal import FormPlan
from equipoise.ledger.entry import Entry
from equipoise.rehearsal.draws import Dice, RehearsalImpossible, derive_value, fit_number, plausible_value
from equipoise.rehearsal.person import Person
from equipoise.rehearsal.review import ReviewDesk
from equipoise.rehearsal.world import RehearsalRefused, Story, Terms, World, at_hour
from equipoise.safety.commands import SubmitSafetyReport
from equipoise.safety.state import ClockRow

_NO_PLAN = FormPlan()
_QUERY_DAYS = (2, 6)
_SITE_STAFF = ("investigator", "nurse")
_ATTEMPTS_MAX = 200


@dataclass(frozen=True, slots=True)
class Slip:
    """A value that was written down wrong."""

    form: str
    encounter: str | None
    row: int | None
    item: str
    right: Value


@dataclass(frozen=True, slots=True)
class Asked:
    """A query that waits for an answer; a `hidden` one concerns what would unmask."""

    query: str
    hidden: bool


@dataclass(slots=True)
class Aftermath:
    """What has to be settled after forms were filled in."""

    queries: list[Asked] = field(default_factory=list)
    slips: list[Slip] = field(default_factory=list)
    clocks: list[tuple[int, str]] = field(default_factory=list)

    def gather(self, entries: tuple[Entry, ...]) -> None:
        """Add the queries and clocks that entries opened."""
        for entry in entries:
            found: Any = entry.content
            if entry.kind in ("QueryOpened", "UnmaskingQueryOpened"):
                self.queries.append(Asked(str(found["query"]), entry.kind != "QueryOpened"))
            elif entry.kind == "UnmaskingChecksRun":
                self.queries += [Asked(str(each["query"]), True) for each in found["opened"]]
            elif entry.kind == "SafetyClockStarted":
                self.clocks.append((int(found["row"]), str(found["clock"])))


@dataclass(frozen=True, slots=True)
class _Folder:
    """The forms of a version: those that are logs, those due at each encounter, those that may unmask."""

    plans: Mapping[str, FormPlan]
    forms: Mapping[str, Form]
    logs: tuple[str, ...]
    due: Mapping[str, tuple[str, ...]]
    unmasking: frozenset[str]

    @classmethod
    def of(cls, terms: Terms) -> _Folder:
        """Return the forms that are filled in under some terms."""
        definition = terms.definition
        reserved = {definition.imaging.read_form} if definition.imaging else set()
        for product in definition.supply.products:
            reserved |= {
                f for f in (product.source_form, product.manufacture_form, product.administration_form) if f
            }
        asked = {form.id: form for form in definition.forms if not form.retired}
        logs = tuple(form for form in definition.schedule.logs if form in asked)
        return cls(
            plans=terms.plan.forms,
            forms={form.id: form for form in definition.forms},
            logs=logs,
            due={
                encounter.id: tuple(
                    form
                    for form in definition.schedule.forms_at(encounter.id)
                    if form in asked and form not in reserved and form not in logs
                )
                for encounter in definition.schedule.encounters
            },
            unmasking=frozenset(
                form.id for form in definition.forms if form.unmasking or any(i.unmasking for i in form.items)
            ),
        )


class FormFiller:
    """Fills in forms for the people of one world, each as the version of their site asks."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._review = ReviewDesk(world)
        self._known: dict[Terms, _Folder] = {}

    def _at(self, site: str | None) -> _Folder:
        terms = self._world.terms(site)
        if terms not in self._known:
            self._known[terms] = _Folder.of(terms)
        return self._known[terms]

    def fill_encounter(self, person: Person, encounter: str, without: str | None = None) -> Aftermath:
        """Fill in what an encounter asks for, and bring the logs up to date."""
        aftermath, folder = Aftermath(), self._at(person.site)
        for form in folder.due[encounter]:
            if form != without:
                self._fill(person, form, encounter, encounter, aftermath)
        for log in folder.logs:
            self._fill(person, log, None, encounter, aftermath)
        self.confirm_logs(person)
        return aftermath

    def fill_at_early_end(self, person: Person, encounter: str) -> Aftermath:
        """Fill in the forms that are due when somebody leaves early."""
        aftermath = Aftermath()
        forms = self._at(person.site).forms
        for form in self._world.plan.faults.early_end_forms:
            if not forms[form].retired:
                self._fill(person, form, encounter, encounter, aftermath)
        self.confirm_logs(person)
        return aftermath

    def confirm_logs(self, person: Person) -> None:
        """Confirm every log up to today."""
        today, folder = self._world.today, self._at(person.site)
        for log in folder.logs:
            form = folder.forms[log]
            if form.log and person.logs_confirmed.get(log) != today:
                confirmed = ConfirmLog(participant=person.code, form=log, through=today)
                self._world.give(person.site, confirmed, unmasked=form.unmasking)
                person.logs_confirmed[log] = today

    def true_values(
        self,
        person: Person,
        form_id: str,
        encounter: str | None,
        *occasion: str | int,
        across: bool = False,
    ) -> dict[str, Value]:
        """Draw what is true for every item of a form that is asked, and remember it.

        `occasion` tells apart what is drawn for the same form: encounters, rows. `across` says that it is
        filled in by somebody who works across all sites.
        """
        folder = self._at(None if across else person.site)
        form, plan = folder.forms[form_id], folder.plans.get(form_id, _NO_PLAN)
        dice = person.dice("values", form_id, *occasion)
        values: dict[str, Value] = {}
        for item in _in_order(form, plan):
            value = self._true_value(person, item, plan, dice)
            if value is None:
                person.situation.forget(form_id, item.id)
                continue
            values[item.id] = value
            person.situation.note(form_id, item.id, value, encounter)
        return values

    def settle(self, person: Person, aftermath: Aftermath, occasion: str) -> None:
        """Let queries be answered, slips be corrected and reports be sent, in the days that follow."""
        world = self._world
        dice = person.dice("settle", occasion)
        if aftermath.queries or aftermath.slips:
            day = world.today + timedelta(days=dice.between(*_QUERY_DAYS))
            start = at_hour(day, 17)
            person.settled_at = max(person.settled_at, start)
            world.tell(self._tell_settlement(person, aftermath, dice), start)
        self._report(person, aftermath, dice)
        self._review.look_over(person, occasion)

    def _tell_settlement(self, person: Person, aftermath: Aftermath, dice: Dice) -> Story:
        world, site = self._world, person.site
        following = Aftermath()
        for slip in aftermath.slips:
            if not aftermath.queries:
                self._ask(person, slip, following)
            correction = CorrectForm(
                participant=person.code,
                form=slip.form,
                values={slip.item: slip.right},
                encounter=slip.encounter,
                row=slip.row,
            )
            actor = self._who("CorrectForm", site, self._at(site).forms[slip.form])
            reason = "Transcription error: corrected from the source."
            following.gather(world.act(actor, correction, reason))
        queries = aftermath.queries + following.queries
        self._answer(site, queries, corrected=bool(aftermath.slips))
        self._review.close_later(person, [each.query for each in queries if not each.hidden], dice)
        self._report(person, following, person.dice("report", str(world.clock.now)))
        yield from ()

    def _ask(self, person: Person, slip: Slip, aftermath: Aftermath) -> None:
        form = self._at(person.site).forms[slip.form]
        asker = self._world.cast.who("OpenQuery", person.site, unmasked=form.unmasking)
        role = self._world.definition.role(asker.role)
        # Where nobody who asks may see the form, whoever filled it in finds the slip.
        if form.unmasking and role is not None and role.masked:
            return
        asked = OpenQuery(
            participant=person.code,
            form=slip.form,
            text="The value is unusual. Please compare it with the source.",
            item=slip.item,
            encounter=slip.encounter,
            row=slip.row,
        )
        aftermath.gather(self._world.act(asker, asked))

    def _answer(self, site: str, queries: list[Asked], *, corrected: bool) -> None:
        world = self._world
        text = "Corrected from the source." if corrected else "Compared with the source: correct as recorded."
        for asked in queries:
            # A query that the correction settled was answered by itself.
            row = world.trial.tables.get(QueryRow, asked.query)
            if row is not None and row.status == "open":
                world.give(site, AnswerQuery(query=asked.query, text=text), unmasked=asked.hidden)
            if asked.hidden:
                world.give(site, CloseQuery(query=asked.query), unmasked=True)

    def _report(self, person: Person, aftermath: Aftermath, dice: Dice) -> None:
        for row, clock in aftermath.clocks:
            start = self._world.clock.now + timedelta(hours=dice.between(2, 20))
            person.settled_at = max(person.settled_at, start)
            self._world.tell(self._tell_report(person, row, clock), start)

    def _tell_report(self, person: Person, row: int, clock: str) -> Story:
        world = self._world
        running = world.trial.tables.get(ClockRow, person.code, row, clock)
        # A correction may have stopped the clock, or started it anew: then it is reported once.
        if running is not None and running.status == "running":
            sent = SubmitSafetyReport(
                participant=person.code, row=row, clock=clock, submitted_at=world.clock.now
            )
            world.give(person.site, sent)
        yield from ()

    def _fill(
        self, person: Person, form_id: str, encounter: str | None, occasion: str, aftermath: Aftermath
    ) -> None:
        for number in range(self._count_rows(person, form_id, occasion)):
            self._record(
                person, self._at(person.site).forms[form_id], encounter, (occasion, number), aftermath
            )

    def _count_rows(self, person: Person, form_id: str, occasion: str) -> int:
        folder = self._at(person.site)
        plan = folder.plans.get(form_id, _NO_PLAN)
        if plan.only_at and occasion not in plan.only_at:
            return 0
        if plan.rows is None or not folder.forms[form_id].repeating:
            return 0 if form_id in folder.logs else 1
        count = person.dice("rows", form_id, occasion).draw(plan.rows, person.situation)
        return int(count) if isinstance(count, Decimal | int) else 0

    def _record(
        self,
        person: Person,
        form: Form,
        encounter: str | None,
        occasion: tuple[str, int],
        aftermath: Aftermath,
    ) -> None:
        world = self._world
        actor = self._who("RecordForm", person.site, form)
        right = self._seen(actor, form, self.true_values(person, form.id, encounter, *occasion))
        written, slipped = self._miswrite(person.dice("slip", form.id, *occasion), form, right)
        outcome = world.trial.record(actor, _filled(person, form, encounter, written))
        # What a hard check refuses cannot be true: the values are drawn again, until they can.
        for attempt in range(_ATTEMPTS_MAX):
            if not isinstance(outcome, Refusal):
                break
            if slipped is None and outcome.code == "CAP-CHECK":
                right = self._seen(
                    actor, form, self.true_values(person, form.id, encounter, *occasion, attempt)
                )
            slipped = None
            outcome = world.trial.record(actor, _filled(person, form, encounter, right))
        if isinstance(outcome, Refusal):
            raise RehearsalRefused(_filled(person, form, encounter, right), outcome)
        aftermath.gather(outcome)
        if slipped is not None:
            row = int(str(outcome[0].content["row"])) or None
            aftermath.slips.append(Slip(form.id, encounter, row, slipped, right[slipped]))

    def _who(self, command: str, site: str, form: Form) -> Actor:
        """Return whoever fills in a form, preferably one who may see all of it."""
        kinds = form.filled_by or _SITE_STAFF
        return self._world.cast.who(command, site, among=kinds, unmasked=form.id in self._at(site).unmasking)

    def _seen(self, actor: Actor, form: Form, values: dict[str, Value]) -> dict[str, Value]:
        """Return what an actor may write: a masked one leaves out what would unmask."""
        role = self._world.definition.role(actor.role)
        if form.id not in self._at(actor.site).unmasking or role is None or not role.masked:
            return values
        hidden = {item.id for item in form.items if item.unmasking}
        return {name: value for name, value in values.items() if name not in hidden}

    def _miswrite(
        self, dice: Dice, form: Form, right: dict[str, Value]
    ) -> tuple[dict[str, Value], str | None]:
        if not self._world.faults or not dice.chance(self._world.plan.faults.entry_error):
            return right, None
        numeric = [
            i for i in form.items if i.type in ("integer", "decimal") and i.id in right and not i.unmasking
        ]
        if not numeric:
            return right, None
        item = dice.pick(numeric)
        wrong = fit_number(Decimal(str(right[item.id])) * 10 + 1, item)
        if wrong == right[item.id]:
            return right, None
        return {**right, item.id: wrong}, item.id

    def _true_value(self, person: Person, item: Item, plan: FormPlan, dice: Dice) -> Value:
        draw, share = plan.items.get(item.id), dice.random()
        if item.retired or (draw is None and not item.required):
            return None
        if item.when is not None and truth(item.when, person.situation) is not Truth.MET:
            return None
        if draw is None:
            return as_item_value(plausible_value(item, share, self._world.today), item)
        value = derive_value(draw, share, person.situation)
        return None if value is None else as_item_value(value, item)


def _in_order(form: Form, plan: FormPlan) -> list[Item]:
    """Return the items in the order of the plan, as one value may follow from another, then what it does not
    describe; but the items that decide whether another is asked come before that one.
    """
    described = [item for name in plan.items if (item := form.item(name)) is not None]
    ordered: dict[str, Item] = {}

    def place(item: Item, waiting: tuple[str, ...]) -> None:
        asked = references(item.when).items if item.when is not None else ()
        for other in form.items:
            if (form.id, other.id) in asked and other.id not in waiting:
                place(other, (*waiting, other.id))
        ordered.setdefault(item.id, item)

    for item in (*described, *form.items):
        place(item, (item.id,))
    return list(ordered.values())


def _filled(person: Person, form: Form, encounter: str | None, values: dict[str, Value]) -> RecordForm:
    return RecordForm(participant=person.code, form=form.id, values=values, encounter=encounter)


def as_item_value(value: Value, item: Item) -> Value:
    """Return a drawn value as the item's type has it; raises RehearsalImpossible when it cannot."""
    try:
        return _converted(value, item)
    except (ArithmeticError, ValueError) as error:
        raise RehearsalImpossible(
            "REH-TYPE",
            f"A draw in rehearsal.yaml gives '{value}' for the item '{item.id}', whose type is"
            f" {item.type}. Let it give a value of that type.",
        ) from error


def _converted(value: Value, item: Item) -> Value:
    if item.type in ("integer", "decimal"):
        return fit_number(Decimal(str(value)), item)
    if item.type == "boolean":
        return bool(value)
    if item.type in ("choice", "text"):
        return str(value)
    if isinstance(value, PartialDate) and item.type == "partial_date":
        return value
    day = value if isinstance(value, date) else date.fromisoformat(str(value))
    return datetime.combine(day, time(8), UTC) if item.type == "datetime" else day
