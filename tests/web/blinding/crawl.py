"""The crawl: all that one account can reach over the web, as text that can be compared."""

from __future__ import annotations

import io
import json
import logging
import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache
from html import unescape
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin, urlsplit

from django.conf import settings
from django.http import HttpResponse
from django.test import Client
from django.urls import Resolver404, resolve

from equipoise.access.actor import Actor
from equipoise.access.permissions import PERMITTED
from equipoise.allocation.state import UnblindingRow
from equipoise.exchange.formats import FORMATS
from equipoise.safety.state import EventRow
from equipoise.supply.state import UnitRow
from equipoise.web.accounts.models import Job
from equipoise.web.clinic import Clinic
from equipoise.web.commands.catalogue import COMMANDS, SLUGS
from equipoise.web.errors import FORBIDDEN, WRONG_METHOD
from equipoise.web.protect import role_token
from equipoise.web.settings import STATIC_FILES
from equipoise.web.works import wait_for_works
from tests.blinding.reach import VARIANTS, Line, field_values, make_command
from tests.blinding.worlds import World
from tests.web.blinding.places import Pattern, addresses_of, facts_of, url_patterns
from tests.web.blinding.served import PASSWORD, browser_of, secret_of

_LINK = re.compile(r'\b(?:href|action|src|hx-get|hx-post)="([^"]*)"')
_FORM = re.compile(r'<form [^>]*method="post".*?</form>', re.DOTALL)
_VALUE = re.compile(r' value="[^"]*"')
_NONSENSE = "☃ '; -- <b>"
_NOT_FOR_ROLE = (b"ACC-PAGE", b"ACC-UNSEEN", b"ACC-COMMAND")
READER_OF_ALL = "data_manager"
"""The role that takes the trial in every form of every format; others take each format in its usual form."""
EVENTS_REPORTED = 2
LINKS_PER_ROUTE = 2
"""So many addresses are read that pages lead to and that are not among those that a page is tried at."""


@dataclass
class Form:
    """A form of a page: where it is sent, its fields with their values, and what may be chosen in them."""

    action: str
    fields: dict[str, str] = field(default_factory=dict)
    kinds: dict[str, str] = field(default_factory=dict)
    choices: dict[str, list[str]] = field(default_factory=dict)


class FormReader(HTMLParser):
    """Reads the forms of a page that are posted."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self._form: Form | None = None
        self._select = self._area = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._form = Form(given.get("action", "")) if given.get("method") == "post" else None
            if self._form:
                self.forms.append(self._form)
        form, name, value = self._form, given.get("name", ""), given.get("value", "")
        if form is None:
            return
        if tag == "option" and self._select:
            form.choices.setdefault(self._select, []).append(value)
            if "selected" in given:
                form.fields[self._select] = value
        if not name:
            return
        form.kinds[name] = given.get("type", tag)
        if tag == "select":
            self._select = name
            form.fields.setdefault(name, "")
        elif tag == "textarea":
            self._area = name
            form.fields[name] = ""
        elif given.get("type") in ("radio", "checkbox"):
            form.choices.setdefault(name, []).append(value)
            if "checked" in given:
                form.fields[name] = value
        elif tag == "button":
            form.choices.setdefault(name, []).append(value)
        elif tag == "input":
            form.fields[name] = value

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None
        if tag in ("select", "form"):
            self._select = ""
        if tag in ("textarea", "form"):
            self._area = ""

    def handle_data(self, data: str) -> None:
        if self._form is not None and self._area:
            self._form.fields[self._area] += data


class Crawl:
    """One account of one role in one world: what it asked for, and what came."""

    def __init__(self, clinic: Clinic, world: World, actor: Actor) -> None:
        self.clinic, self.world, self.actor = clinic, world, actor
        self.browser = browser_of(actor.account, actor)
        self.program = Client(
            headers={"authorization": f"Bearer {secret_of(actor)}"}, raise_request_exception=False
        )
        self.lines: list[Line] = []
        self.logged: list[str] = []
        self.dead: set[str] = set()
        self.statuses: dict[str, set[int]] = {}
        self.taken: set[str] = set()
        self._asked: dict[str, None] = {}
        self._found: dict[str, None] = {}
        self._shapes: dict[tuple[str, ...], int] = {}
        self._forms: dict[tuple[str, ...], list[tuple[str, Form]]] = {}
        self._drawn: set[str] = set()
        self._tickets = 0
        self._known = 0
        self._learn()

    def run(self) -> None:
        """Read everything, send everything, and read again what everybody starts from."""
        facts = facts_of(self.clinic)
        places = {pattern: addresses_of(pattern, facts) for pattern in url_patterns()}
        with self.keeping_logs():
            for addresses in places.values():
                self.read_addresses(addresses)
            self.follow_links()
            self.send_commands()
            self.send_forms()
            self.take_exports()
            for pattern, addresses in places.items():
                self.send_pattern(pattern, addresses[0])
            for name, most in _RE_READ.items():
                for address in [each for each in self._asked if resolve_name(each) == name][:most]:
                    self.get(address, "again ", follow=False)

    @contextmanager
    def keeping_logs(self) -> Iterator[None]:
        """Keep what is logged meanwhile."""
        handler, root = _Keep(self.logged), logging.getLogger()
        level = root.level
        root.addHandler(handler)
        root.setLevel(logging.INFO)
        try:
            yield
        finally:
            root.removeHandler(handler)
            root.setLevel(level)

    # -- reading

    def read_addresses(self, addresses: list[str]) -> None:
        """Ask for a page at every address that it has; where the role may not come, at the first alone."""
        for address in addresses:
            if address not in self._asked and self.get(address) is None:
                return

    def follow_links(self) -> None:
        """Read what pages led to: lists sorted, searched and as files, commands about somebody."""
        for address in self._found:
            if address in self._asked:
                continue
            query = urlsplit(address).query
            keys = tuple(
                each if each.endswith("=csv") else each.partition("=")[0] for each in query.split("&")
            )
            shape = (resolve_name(address), *keys)
            self._shapes[shape] = self._shapes.get(shape, 0) + 1
            if self._shapes[shape] <= LINKS_PER_ROUTE:
                self.get(address, follow=False)

    def get(self, address: str, how: str = "", *, follow: bool = True) -> Any:
        """Ask for a page; None where it is not for this role. Its links are noted, to be followed."""
        self._asked[address] = None
        browser = self.program if address.startswith("/api/") else self.browser
        answer = browser.get(address)
        self._keep(f"{how}GET {address}", answer)
        if _is_for_others(answer):
            return None
        if answer.get("Content-Type", "").startswith("text/html"):
            self._note(address, answer, follow)
        if answer.status_code == 302:
            self._see(urljoin(address, answer["Location"]), follow)
        return answer

    def _note(self, address: str, answer: Any, follow: bool) -> None:
        html = answer.content.decode()
        for link in dict.fromkeys(_LINK.findall(html)):
            self._see(urljoin(address, unescape(link)), follow)
        new = [part for part in _FORM.findall(html) if _VALUE.sub("", part) not in self._drawn]
        self._drawn.update(_VALUE.sub("", part) for part in new)
        reader = FormReader()
        reader.feed("".join(new))
        for form in reader.forms:
            target = urljoin(address, form.action)
            shape = (resolve_name(target), *sorted(form.fields), *sorted(form.choices))
            kept = self._forms.setdefault(shape, [])
            if not kept:
                kept.append((target, form))

    def _see(self, address: str, follow: bool) -> None:
        """Note where a page leads: to a page of the clinic, or nowhere."""
        parts = urlsplit(address)
        served = parts.path.removeprefix(settings.STATIC_URL) in STATIC_FILES
        if parts.scheme or parts.netloc or not (served or resolve_name(address)):
            self.dead.add(address)
        elif follow and not served:
            self._found[address.partition("#")[0]] = None

    # -- sending

    def send_forms(self) -> None:
        """Send every kind of form that was found: as it came, filled in, with nonsense, and empty."""
        for (name, *_rest), kept in sorted(self._forms.items()):
            if name in _END_SESSION:
                continue
            for target, form in kept:
                for how, fields in _fillings(form, self.clinic):
                    if name.startswith("do_") and how in ("as it came", "filled in"):
                        # Every command is given as it would be filled in, below.
                        continue
                    self.post(target, fields, f"{how} ")

    def send_pattern(self, pattern: Pattern, address: str) -> None:
        """Post nothing, and then much, to an address of every page, whether it takes it or not."""
        if pattern.name in _END_SESSION or pattern.name.startswith(("do_", "api:")):
            return
        answer = self.post(address, {}, "bare ")
        if answer.status_code == WRONG_METHOD or _is_for_others(answer):
            return
        # What only one arm would have: its answers, the number of what was made for somebody.
        self.post(address, self._unmasking(), "unmasking ")

    def send_commands(self) -> None:
        """Give every command, on its page and as a program, right and wrong; those not permitted, once."""
        values = field_values(self.clinic.trial)
        units = [row.unit for row in self.clinic.trial.tables.all(UnitRow)]
        role = self.clinic.definition.role(self.actor.role)
        assert role is not None
        for name, kind in COMMANDS.items():
            permitted = role.kind in PERMITTED[name]
            for variant in range(VARIANTS if permitted else 1):
                command = make_command(kind, values, variant)
                given = {each: getattr(command, each) for each in kind.__dataclass_fields__}
                if "unit" in given:
                    given["unit"] = units[variant % len(units)]
                posted = dict(_posted(given)) | ({"reason": "A reason"} if variant % 2 else {})
                self.post(f"/do/{SLUGS[name]}/", posted, f"variant {variant} ")
                if variant in (0, VARIANTS - 1):
                    self._give(name, given)

    def take_exports(self) -> None:
        """Take the trial in every form of every format as who reads it all, as others in the usual forms."""
        for name, each in FORMATS.items():
            if "trial" in each.of:
                for form in each.forms if self.actor.role == READER_OF_ALL else each.forms[:1]:
                    fields = {"kind": "export", "format": name, "form": form}
                    self._take("/jobs/start/", fields, f"{name}.{form}")
        serious = [row for row in self.clinic.trial.tables.all(EventRow) if row.serious]
        parties = {"sender": "A", "receiver": "B", "organisation": "C", "type": "other"}
        for row in serious[:EVENTS_REPORTED]:
            for version in ("blinded", "unblinded"):
                address = f"/safety/{row.participant}/{row.row}/report/"
                self._take(address, parties | {"version": version}, "e2b.xml")

    def _take(self, address: str, fields: Mapping[str, str], name: str) -> None:
        answer = self.post(address, fields)
        if answer.status_code == 302:
            file = self.get(f"{answer['Location']}file/", follow=False)
            self.taken |= {name} if file.status_code == 200 else set()

    def _give(self, name: str, given: Mapping[str, Any]) -> None:
        body = json.dumps({each: value for each, value in given.items() if value is not None}, default=_iso)
        address = f"/api/v1/commands/{SLUGS[name]}"
        answer = self.program.post(address, body, content_type="application/json")
        self._learn()
        self._keep(f"POST {address} {body}", answer)

    def post(self, address: str, fields: Mapping[str, str], how: str = "") -> Any:
        """Send a form, and go where it leads."""
        self._tickets += 1
        told = {
            "acting_as": role_token(self.actor),
            "definition": self.clinic.definition.hash,
            "ticket": f"{self._tickets:032d}",
            "proof_password": PASSWORD,
        }
        if self.is_told(address, fields):
            # Whoever broke the code is told the arm: here, and nowhere else.
            return HttpResponse()
        answer = self.browser.post(address, {**told, **fields})
        wait_for_works()
        self._learn()
        self._keep(f"{how}POST {address} {dict(fields)}", answer)
        if answer.status_code == 302:
            self._keep(f"{how}after {address}", self.browser.get(urljoin(address, answer["Location"])))
        return answer

    def is_told(self, address: str, fields: Mapping[str, str]) -> bool:
        """Tell whether a post to an address is answered with an allocation that the account may know."""
        broken = self.clinic.trial.tables.where(UnblindingRow, account=self.actor.account)
        if fields.get("version") == "unblinded":
            return any(address.startswith(f"/safety/{row.participant}/") for row in broken)
        return address in {f"/unblindings/of/{row.participant}/" for row in broken}

    def _unmasking(self) -> dict[str, str]:
        unit = next(self.clinic.trial.tables.all(UnitRow))
        fields = {"unit": unit.unit, "participant": unit.participant, "lot": unit.lot or ""}
        for form in self.clinic.definition.forms:
            for item in form.items:
                if form.unmasking or item.unmasking:
                    fields[f"item-{item.id}"] = "150"
        return fields

    # -- keeping

    def _learn(self) -> None:
        """Know the hashes of what was recorded."""
        for entry in self.clinic.trial.ledger.read(self._known):
            self.world.hashes[entry.hash[:12]] = self._known = entry.position
        for job in Job.objects.filter(status="done"):
            # What was made may have hashes of the chain in it, and is compared itself.
            self.world.hashes.setdefault(job.arguments["sha256"][:12], self._known)

    def _keep(self, place: str, answer: Any) -> None:
        path = place.split(" {", maxsplit=1)[0].rsplit(" ", maxsplit=1)[-1]
        self.statuses.setdefault(resolve_name(path), set()).add(answer.status_code)
        text = self.world.name_hashes(write_answer(answer))
        self.lines.append((f"{self.actor.account} {place}", text))


_END_SESSION = ("account_logout", "mfa_authenticate")
_RE_READ = {
    "home": 1,
    "participants": 2,
    "participant": 3,
    "audit": 2,
    "queries": 2,
    "casebook": 2,
    "jobs": 1,
}
"""The pages that are read again after all was sent, and at how many addresses."""


class _Keep(logging.Handler):
    def __init__(self, kept: list[str]) -> None:
        super().__init__(logging.INFO)
        self._kept = kept

    def emit(self, record: logging.LogRecord) -> None:
        trace = repr(record.exc_info[1]) if record.exc_info else ""
        self._kept.append(f"{record.name} {record.levelname} {record.getMessage()} {trace}")


def _iso(moment: date) -> str:
    return moment.isoformat()


def _is_for_others(answer: Any) -> bool:
    return answer.status_code == FORBIDDEN and any(code in answer.content for code in _NOT_FOR_ROLE)


@cache
def resolve_name(address: str) -> str:
    """Return the name of the page at an address, empty where there is none."""
    try:
        return resolve(urlsplit(address).path).view_name
    except Resolver404:
        return ""


def forget_names() -> None:
    """Look up anew which page is at an address: there are others now."""
    resolve_name.cache_clear()


def write_answer(answer: Any) -> str:
    """Write an answer as text: status, headers, cookies with their attributes, and body, unpacked."""
    content = b"".join(answer) if answer.streaming else answer.content
    headers = sorted(answer.items())
    if content[:4] == b"PK\x03\x04":
        # How well a file is packed depends on the hashes of the chain in it.
        headers = [each for each in headers if each[0] != "Content-Length"]
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            body = "".join(f"{info!r}\n{packed.read(info)!r}\n" for info in packed.infolist())
            body = re.sub(r" file_size=\d+| compress_size=\d+", "", body)
    else:
        body = content.decode()
    # The time at which a cookie ends is read from the machine's clock.
    cookies = [re.sub(r"expires=[^;]*", "", str(each)) for each in answer.cookies.values()]
    return "\n".join(
        [str(answer.status_code), *(f"{name}: {value}" for name, value in headers), *cookies, body]
    )


def _posted(given: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in given.items():
        if name == "values":
            yield from ((f"item-{item}", str(each)) for item, each in value.items())
        elif isinstance(value, bool):
            yield name, "true" if value else "false"
        elif isinstance(value, date | datetime):
            yield name, value.isoformat()
        elif value is not None:
            yield name, str(value)


_OWN = (
    "csrfmiddlewaretoken",
    "acting_as",
    "definition",
    "ticket",
    "next",
    "fixed",
    "participant",
    "encounter",
)


def _fillings(form: Form, clinic: Clinic) -> Iterable[tuple[str, dict[str, str]]]:
    own = {name: value for name, value in form.fields.items() if name in _OWN and name != "ticket"}
    asked = [name for name in {**form.fields, **form.choices} if name not in _OWN]
    yield "as it came", {name: value for name, value in form.fields.items() if name != "ticket"}
    if not asked:
        return
    day = clinic.now().date().isoformat()
    plausible = {"date": day, "datetime-local": f"{day}T08:00", "number": "1", "password": PASSWORD}
    filled = {}
    for name in asked:
        choices = [each for each in form.choices.get(name, []) if each]
        kind = form.kinds.get(name, "text")
        filled[name] = form.fields.get(name) or (choices[-1] if choices else plausible.get(kind, "7"))
    yield "filled in", own | filled
    yield "nonsense", own | dict.fromkeys(asked, _NONSENSE)
    yield "emptied", own | dict.fromkeys(asked, "")
