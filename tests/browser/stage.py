"""The stage of the story: the cast, each at a browser of their own."""

from __future__ import annotations

from dataclasses import dataclass, field

from playwright.sync_api import Browser

from tests.browser.browsers import Person, Watch
from tests.browser.story_trial import CAST, PASSWORD


@dataclass
class Story:
    """The cast at their browsers: whoever is needed comes, and stays."""

    browser: Browser
    watch: Watch
    address: str
    here: dict[str, Person] = field(default_factory=dict)
    invitation: str = ""

    def at(self, first: str) -> Person:
        """One of the cast, by first name."""
        if first not in self.here:
            person = Person(self.browser, self.watch, self.address)
            self.here[first] = person.comes(CAST[first].account, PASSWORD)
        return self.here[first]

    def leaves(self, first: str) -> None:
        """Close somebody's browser."""
        self.here.pop(first).leaves()
