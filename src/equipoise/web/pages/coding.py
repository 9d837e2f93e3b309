"""Coding: the words of the sites, what they are called in a dictionary, and what is still to be coded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from equipoise.access.refusal import Refused
from equipoise.coding.dictionary import words_of
from equipoise.conduct.view.lines import CodingLine, ProposalLine, TermLine
from equipoise.conduct.view.outdated_lines import OutdatedLine
from equipoise.definition.coded import DictionaryName
from equipoise.definition.coding import DICTIONARY_TITLES, LEVELS, coded_with
from equipoise.web.listing import Column, make_listing
from equipoise.web.people import names_of
from equipoise.web.protect import Route
from equipoise.web.request import ClinicRequest
from equipoise.web.visible import Gives
from equipoise.web.words_of_values import word_of_state

_WHO = Gives(("CodeTerm",))
OUTDATED = "outdated"
_ONLY_OUTDATED, _LEFT_OUT = frozenset({"now"}), frozenset({"status", "dictionary"})
"""The columns that only the list of what has moved has, and those that it can do without."""

_SHOWS: tuple[tuple[str, Promise], ...] = (
    ("waiting", gettext_lazy("To be coded")),
    ("uncoded", gettext_lazy("Not coded")),
    ("lapsed", gettext_lazy("Changed after coding")),
    ("coded", gettext_lazy("Coded")),
    (OUTDATED, gettext_lazy("Not as in the version in use")),
    ("all", gettext_lazy("All")),
)


_ABOVE = " \u2039 "
"""What stands between a term and the one above it."""


@dataclass(frozen=True, slots=True)
class CodedLine:
    """A line of the list: the words, where they stand, and who coded them."""

    line: CodingLine
    about: str
    by: str
    link: str
    now: str = ""


@dataclass(frozen=True, slots=True)
class InUse:
    """A dictionary that the study codes with; `version` is empty where none was added."""

    name: DictionaryName
    title: str
    version: str
    terms: int
    proposals: int
    accept: str
    unchanged: int
    carry: str


def list_coding(request: ClinicRequest) -> HttpResponse:
    """List the words that are to be coded; `?show=` keeps those in one state."""
    lines = request.seen.coding()
    changes = _changes(request)
    show = request.GET.get("show", "waiting")
    show = show if show in dict(_SHOWS) else "waiting"
    names = names_of(line.coded_by for line in lines if line.coded_by)
    rows = [_coded_line(request, line, names, changes) for line in lines if _is_shown(line, show, changes)]
    left_out = _LEFT_OUT if show == OUTDATED else _ONLY_OUTDATED
    columns = tuple(each for each in _COLUMNS if each.name not in left_out)
    listing = make_listing(request, "coding", columns, rows)
    if isinstance(listing, HttpResponse):
        return listing
    tabs = [
        (f"?show={name}", title, sum(_is_shown(line, name, changes) for line in lines), name == show)
        for name, title in _SHOWS
    ]
    context = {"listing": listing, "tabs": tabs, "dictionaries": _dictionaries(request)}
    return render(request, "pages/coding.html", context)


def coding_numbers(request: ClinicRequest) -> tuple[tuple[str, Promise, int], ...]:
    """Return how many words are not coded, for the overview of the data; nothing where nothing is coded."""
    if not coded_with(request.definition):
        return ()
    open_lines = sum(line.status != "coded" for line in request.seen.coding())
    return (("coding", gettext_lazy("terms are not coded"), open_lines),)


def _changes(request: ClinicRequest) -> dict[tuple[str, ...], str]:
    """What became of the terms that are not as they were coded, in words, by the place of the coding."""
    words = {
        "gone": _("no longer in the dictionary"),
        "not_current": _("not current any more"),
    }
    return {
        _place(line): words.get(line.change) or _ABOVE.join(line.terms_now)
        for name in coded_with(request.definition)
        for line in request.seen.outdated_codings(name).lines
        if line.change != "unchanged"
    }


def _place(line: CodingLine | OutdatedLine) -> tuple[str, ...]:
    return line.participant, line.form, line.encounter, str(line.row), line.item


def _is_shown(line: CodingLine, show: str, changes: Mapping[tuple[str, ...], str]) -> bool:
    if show == OUTDATED:
        return _place(line) in changes
    if show == "waiting":
        return line.status != "coded"
    return show in ("all", line.status)


def _coded_line(
    request: ClinicRequest,
    line: CodingLine,
    names: Mapping[str, str],
    changes: Mapping[tuple[str, ...], str],
) -> CodedLine:
    given = {**pointed(line), "next": request.get_full_path()}
    by = names.get(line.coded_by or "", "")
    return CodedLine(
        line=line,
        about=about(request, line),
        by=_("%(name)s, as proposed") % {"name": by} if line.automatic else by,
        link=f"{reverse('do_CodeTerm')}?{urlencode(given)}",
        now=changes.get(_place(line), ""),
    )


def pointed(line: CodingLine) -> dict[str, str]:
    """Return what names the place of some words in the address of a command."""
    given = {"participant": line.participant, "form": line.form, "item": line.item}
    if line.encounter and not line.row:
        given["encounter"] = line.encounter
    if line.row:
        given["row"] = str(line.row)
    return given


def about(request: ClinicRequest, line: CodingLine | ProposalLine | OutdatedLine) -> str:
    """Return where words stand: form, encounter or row, and the item where several of the form are coded."""
    form = request.definition.form(line.form)
    several = sum(each.coded_with is not None for each in form.items) > 1 if form else True
    item = form.item(line.item) if form else None
    planned = request.definition.schedule.encounter(line.encounter)
    words = [
        form.title if form else line.form,
        _("row %(row)s") % {"row": line.row} if line.row else planned.name if planned else line.encounter,
        (item.label if item else line.item) if several else "",
    ]
    return ", ".join(word for word in words if word)


def _dictionaries(request: ClinicRequest) -> list[InUse]:
    """The dictionaries that the study codes with, as they were added last, and what each proposes."""
    added = {row.dictionary: row for row in request.seen.dictionaries()}
    found = []
    for name in coded_with(request.definition):
        row = added.get(name)
        proposals = len(request.seen.coding_proposals(name).lines)
        outdated = request.seen.outdated_codings(name).lines
        given = urlencode({"dictionary": name, "next": reverse("coding")})
        found.append(
            InUse(
                name=name,
                title=DICTIONARY_TITLES[name],
                version=row.version if row else "",
                terms=row.counts.get(LEVELS[name][0], 0) if row else 0,
                proposals=proposals,
                accept=f"{reverse('do_CodeMatches')}?{given}",
                unchanged=sum(each.change == "unchanged" for each in outdated),
                carry=f"{reverse('do_CarryOverCodings')}?{given}",
            )
        )
    return found


def _level(number: int) -> Any:
    return lambda each: each.line.terms[number] if len(each.line.terms) > abs(number) - (number < 0) else ""


def _mark_of_change(each: CodedLine) -> str:
    return "warn" if each.now else ""


def _mark(each: CodedLine) -> str:
    return {"uncoded": "warn", "lapsed": "bad"}.get(each.line.status, "")


_COLUMNS: tuple[Column[CodedLine], ...] = (
    Column(
        "verbatim",
        gettext_lazy("Words of the site"),
        lambda each: each.line.verbatim,
        link=lambda each: each.link,
    ),
    Column("participant", gettext_lazy("Participant"), lambda each: each.line.participant),
    Column("about", gettext_lazy("Where"), lambda each: each.about),
    Column("status", gettext_lazy("Status"), lambda each: word_of_state(each.line.status), mark=_mark),
    Column("dictionary", gettext_lazy("Dictionary"), lambda each: word_of_state(each.line.dictionary)),
    Column("version", gettext_lazy("Version"), lambda each: each.line.version),
    Column("term", gettext_lazy("Coded as"), _level(0)),
    Column("preferred", gettext_lazy("Preferred term"), _level(1)),
    Column("class", gettext_lazy("Class"), _level(-1)),
    Column("now", gettext_lazy("In the version in use"), lambda each: each.now, mark=_mark_of_change),
    Column("by", gettext_lazy("Coded by"), lambda each: each.by),
)


# -- what the pages of the commands show


def context_of_term(request: ClinicRequest, given: Mapping[str, str]) -> dict[str, Any]:
    """Return the words as they stand and the terms to choose from; nothing for a place unknown."""
    line = _line_of(request, given)
    if line is None:
        return {}
    words, terms = _found(request, line, given.get("words", "").strip())
    return {
        "line": line,
        "about": about(request, line),
        "words": words,
        "terms": terms,
        "chosen": given.get("code", "") or (line.codes[0] if line.status == "coded" else ""),
        "dictionary_title": word_of_state(line.dictionary),
        "pointed": pointed(line),
    }


def context_of_matches(request: ClinicRequest, given: Mapping[str, str]) -> dict[str, Any]:
    """Return what a dictionary proposes, with the hash that says what was shown."""
    name = next((each for each in coded_with(request.definition) if each == given.get("dictionary")), None)
    if name is None:
        return {}
    proposals = request.seen.coding_proposals(name)
    return {
        "proposals": [(each, about(request, each), word_of_state(each.because)) for each in proposals.lines],
        "shown_hash": proposals.shown_hash,
    }


def context_of_carried(request: ClinicRequest, given: Mapping[str, str]) -> dict[str, Any]:
    """Return the codings that are unchanged in the version in use, with the hash that says what was shown."""
    name = next((each for each in coded_with(request.definition) if each == given.get("dictionary")), None)
    if name is None:
        return {}
    outdated = request.seen.outdated_codings(name)
    lines = [(each, about(request, each)) for each in outdated.lines if each.change == "unchanged"]
    return {"carried": lines, "shown_hash": outdated.shown_hash}


def _line_of(request: ClinicRequest, given: Mapping[str, str]) -> CodingLine | None:
    try:
        lines = request.seen.coding()
    except Refused:
        return None
    wanted = {name: given.get(name, "") for name in ("participant", "form", "item", "encounter", "row")}
    return next(
        (line for line in lines if {**dict.fromkeys(wanted, ""), **pointed(line)} == wanted),
        None,
    )


def _found(request: ClinicRequest, line: CodingLine, asked: str) -> tuple[str, tuple[TermLine, ...]]:
    """The terms for what is asked; else for the site's words together, or the longest that has any."""
    name = next(each for each in DICTIONARY_TITLES if each == line.dictionary)
    if asked:
        return asked, request.seen.dictionary_terms(name, asked)
    for words in (line.verbatim, *sorted(words_of(line.verbatim), key=len, reverse=True)):
        terms = request.seen.dictionary_terms(name, words)
        if terms:
            return words, terms
    return line.verbatim, ()


ROUTES: tuple[Route, ...] = (Route("coding/", list_coding, "coding", _WHO),)
