"""The clinic's own tags and filters; every template has them."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from equipoise.web.refusal_words import words_of_refusal
from equipoise.web.words_of_values import text_of, time_at, word_of_state

register = template.Library()


@register.filter
def value(given: Any) -> str:
    """Return a value as a reader sees it."""
    return text_of(given)


@register.filter
def state(given: str) -> SafeString:
    """Draw a state as a badge."""
    return format_html('<span class="badge {}">{}</span>', given.replace("_", "-"), word_of_state(given))


@register.filter
def state_word(given: str) -> str:
    """Return the word for a state."""
    return word_of_state(given)


_SYMBOLS = {"met": "✓", "not_met": "✕", "eligible": "✓", "ineligible": "✕", "fulfilled": "✓", "against": "✕"}


@register.filter
def outcome(given: str, stands: str = "") -> SafeString:
    """Draw an outcome as a badge with a symbol; `stands` says whether it is fulfilled, against or unknown."""
    look = stands or given
    symbol = _SYMBOLS.get(look, "?")
    return format_html(
        '<span class="badge outcome {}"><span aria-hidden="true">{} </span>{}</span>',
        look.replace("_", "-"),
        symbol,
        word_of_state(given),
    )


@register.filter
def refused(code: str) -> str:
    """Return what a refusal means, for a reader whose language is not that of its own sentence."""
    return words_of_refusal(code)


@register.filter
def at(given: str | None, zone: ZoneInfo) -> str:
    """Return a recorded time as it was at a place."""
    return time_at(given, zone)


@register.simple_tag(takes_context=True)
def sent_as(context: dict[str, Any]) -> SafeString:
    """Have a form say in which role, and under which definition, it was opened.

    Every form that records has it beside the CSRF token.
    """
    return format_html(
        '<input type="hidden" name="acting_as" value="{}"><input type="hidden" name="definition" value="{}">',
        context["role_token"],
        context["definition_hash"],
    )
