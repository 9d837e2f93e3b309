"""What may stand in an address: codes and identifiers, and never a value."""

from __future__ import annotations

from django.urls import register_converter


class CodeConverter:
    """A participant's, site's, scan's, unit's or query's code."""

    regex = "[A-Za-z0-9][A-Za-z0-9_.-]{0,63}"

    def to_python(self, value: str) -> str:
        """Return the code as it stands in the address."""
        return value

    def to_url(self, value: str) -> str:
        """Return the code for an address."""
        return value


class IdentifierConverter(CodeConverter):
    """A name that the study definition gives to one of its parts."""

    regex = "[a-z][a-z0-9_]{0,47}"


register_converter(CodeConverter, "code")
register_converter(IdentifierConverter, "id")
