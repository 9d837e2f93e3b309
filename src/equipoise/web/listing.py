"""Lists: every one sorts, filters, turns its pages and leaves as CSV, in the same way."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.functional import Promise

from equipoise.web.words_of_values import text_of

R = TypeVar("R")

PAGE_ROWS = 50
# A spreadsheet takes a text that begins so for a formula (CWE-1236).
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class Column(Generic[R]):
    """One column: its name in addresses, its title, what it holds, and where a cell leads.

    `value` returns a plain value (text, number, date, bool, None); `mark` a word for the style of the cell.
    """

    name: str
    title: str | Promise
    value: Callable[[R], Any]
    link: Callable[[R], str | None] | None = None
    mark: Callable[[R], str] | None = None


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell as it is drawn."""

    text: str
    link: str | None
    mark: str


@dataclass(frozen=True, slots=True)
class Heading:
    """One column's heading: the address that sorts by it, and how it is sorted now."""

    title: str
    address: str
    order: str


@dataclass(frozen=True, slots=True)
class Listing:
    """A list as it is drawn."""

    name: str
    find: str
    headings: tuple[Heading, ...]
    rows: tuple[tuple[Cell, ...], ...]
    found: int
    total: int
    wanted: str
    page: int
    pages: int
    previous: str | None
    following: str | None
    export: str
    kept: tuple[tuple[str, str], ...]


def make_listing(
    request: HttpRequest, name: str, columns: Sequence[Column[R]], rows: Iterable[R]
) -> Listing | HttpResponse:
    """Return a list as the address asks for it, or its CSV file.

    `?find=` keeps the rows that have every word in some cell, `?sort=name` or `?sort=-name` orders, `?page=`
    turns the page, `?as=csv` downloads what is found. Two lists on one page have names of their own, which
    these parameters then bear as a prefix.
    """
    every = list(rows)
    drawn = [(row, [text_of(column.value(row)) for column in columns]) for row in every]
    wanted = request.GET.get(_key(name, "find"), "").strip()
    words = wanted.casefold().split()
    found = [
        each for each in drawn if all(any(word in cell.casefold() for cell in each[1]) for word in words)
    ]
    sort = request.GET.get(_key(name, "sort"), "")
    by = next((column for column in columns if column.name == sort.lstrip("-")), None)
    if by is not None:
        found.sort(key=lambda each: _sortable(by.value(each[0])), reverse=sort.startswith("-"))
    if request.GET.get(_key(name, "as")) == "csv":
        return _as_csv(name, columns, [cells for _, cells in found])
    pages = max(1, -(-len(found) // PAGE_ROWS))
    page = min(max(1, _number(request.GET.get(_key(name, "page")))), pages)
    shown = found[(page - 1) * PAGE_ROWS : page * PAGE_ROWS]
    return Listing(
        name=name,
        find=_key(name, "find"),
        headings=tuple(_heading(request, name, column, sort) for column in columns),
        rows=tuple(tuple(_cells(columns, row, texts)) for row, texts in shown),
        found=len(found),
        total=len(every),
        wanted=wanted,
        page=page,
        pages=pages,
        previous=_address(request, {_key(name, "page"): str(page - 1)}) if page > 1 else None,
        following=_address(request, {_key(name, "page"): str(page + 1)}) if page < pages else None,
        export=_address(request, {_key(name, "as"): "csv"}),
        kept=tuple((key, each) for key, each in _kept(request).items() if key != _key(name, "find")),
    )


def _has_words(cells: Sequence[str], words: Sequence[str]) -> bool:
    folded = [cell.casefold() for cell in cells]
    return all(any(word in cell for cell in folded) for word in words)


def show_listing(
    request: HttpRequest,
    template: str,
    name: str,
    columns: Sequence[Column[R]],
    rows: Iterable[R],
    **context: Any,
) -> HttpResponse:
    """Draw a page that is one list, or send the list's CSV file."""
    listing = make_listing(request, name, columns, rows)
    if isinstance(listing, HttpResponse):
        return listing
    return render(request, template, {"listing": listing, **context})


def as_csv(name: str, titles: Sequence[str], rows: Iterable[Sequence[Any]]) -> HttpResponse:
    """Return a CSV file (RFC 4180, UTF-8 with a byte order mark, so that spreadsheets read it right)."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(titles)
    writer.writerows([_harmless(text_of(value)) for value in row] for row in rows)
    response = HttpResponse("\ufeff" + text.getvalue(), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return response


def _as_csv(name: str, columns: Sequence[Column[Any]], rows: Iterable[Sequence[str]]) -> HttpResponse:
    return as_csv(name, [str(column.title) for column in columns], rows)


def _harmless(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) and not _is_number(text) else text


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _key(name: str, parameter: str) -> str:
    return f"{name}-{parameter}" if name.endswith("_list") else parameter


def _cells(columns: Sequence[Column[R]], row: R, texts: Sequence[str]) -> Iterable[Cell]:
    for column, text in zip(columns, texts, strict=True):
        link = column.link(row) if column.link else None
        yield Cell(text, link, column.mark(row) if column.mark else "")


def _heading(request: HttpRequest, name: str, column: Column[Any], sort: str) -> Heading:
    order = "ascending" if sort == column.name else "descending" if sort == f"-{column.name}" else ""
    following = f"-{column.name}" if order == "ascending" else column.name
    address = _address(request, {_key(name, "sort"): following})
    return Heading(str(column.title), address, order)


def _address(request: HttpRequest, changed: dict[str, str]) -> str:
    return f"?{urlencode(_kept(request) | changed)}"


def _kept(request: HttpRequest) -> dict[str, str]:
    """What an address goes on to say whatever is changed in it: filters, order, what is looked for."""
    return {key: str(value) for key, value in request.GET.items() if not key.endswith(("page", "as"))}


def _number(text: str | None) -> int:
    return int(text) if text is not None and text.isascii() and text.isdigit() and len(text) < 7 else 1


def _sortable(value: Any) -> tuple[int, Any]:
    if value is None:
        return (2, "")
    if isinstance(value, int | float):
        return (0, value)
    return (1, text_of(value).casefold())
