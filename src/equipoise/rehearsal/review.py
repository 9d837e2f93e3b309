"""The data review of a rehearsal: values that look odd are asked about, and the answers are read later."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from equipoise.capture.commands import AnswerQuery, CloseQuery, OpenQuery
from equipoise.capture.state import RecordRow, visible_values
from equipoise.rehearsal.draws import Dice
from equipoise.rehearsal.person import Person
from equipoise.rehearsal.world import Story, World, at_hour, content

# Assumptions of the story, which nothing in the analysis follows from: values are as they were.
_ASKED = 0.2
_DAYS_TO_REVIEW = (3, 20)
_DAYS_TO_ANSWER = (2, 21)
_DAYS_TO_CLOSE = (1, 12)


class ReviewDesk:
    """The data manager, who looks over what was recorded at an encounter and closes what was answered."""

    def __init__(self, world: World) -> None:
        self._world = world

    def look_over(self, person: Person, encounter: str) -> None:
        """Let an encounter be reviewed in the weeks that follow; one in five leads to a query."""
        dice = person.dice("review", encounter)
        if self._world.faults and dice.chance(_ASKED):
            self._tell_at(person, self._tell_query(person, encounter, dice), dice, _DAYS_TO_REVIEW)

    def close_later(self, person: Person, queries: Iterable[str], dice: Dice) -> None:
        """Let the answers to queries be accepted in the days that follow."""
        waiting = tuple(queries)
        if waiting:
            self._tell_at(person, self._tell_closing(person, waiting), dice, _DAYS_TO_CLOSE)

    def _tell_at(self, person: Person, story: Story, dice: Dice, days: tuple[int, int]) -> None:
        start = at_hour(self._world.today + timedelta(days=dice.between(*days)), 14)
        person.settled_at = max(person.settled_at, start)
        self._world.tell(story, start)

    def _tell_query(self, person: Person, encounter: str, dice: Dice) -> Story:
        world = self._world
        asked = self._pick(person, encounter, dice)
        if asked is None:
            return
        asker = world.cast.who("OpenQuery", person.site, among=("data_manager",))
        opened = content(world.act(asker, asked), "QueryOpened")
        assert opened is not None, "a question about what masks nothing is open to all"
        following = at_hour(world.today + timedelta(days=dice.between(*_DAYS_TO_ANSWER)), 13)
        person.settled_at = max(person.settled_at, following)
        yield following
        who = world.cast.who("AnswerQuery", person.site, among=("nurse", "investigator"))
        text = "Compared with the source: correct as recorded."
        world.act(who, AnswerQuery(query=opened["query"], text=text))
        self.close_later(person, (opened["query"],), dice)

    def _pick(self, person: Person, encounter: str, dice: Dice) -> OpenQuery | None:
        """Choose a value that everybody may see, or None where the encounter has none."""
        definition = self._world.terms(person.site).definition
        found = self._world.trial.tables.where(RecordRow, participant=person.code)
        places = [
            (each.form, each.row, item)
            for each in found
            if each.encounter == encounter and not each.removed
            for item in visible_values(definition, each.form, each.item_values, masked=True)
        ]
        if not places:
            return None
        form, row, item = dice.pick(sorted(places))
        return OpenQuery(
            participant=person.code,
            form=form,
            text="Please compare this value with the source.",
            item=item,
            encounter=encounter,
            row=row or None,
        )

    def _tell_closing(self, person: Person, queries: tuple[str, ...]) -> Story:
        closer = self._world.cast.who("CloseQuery", person.site, among=("data_manager",))
        for query in queries:
            self._world.act(closer, CloseQuery(query=query))
        yield from ()
