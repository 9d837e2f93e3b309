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


class SecretConverter(CodeConverter):
    """What is drawn at random for a link: base64 for addresses (RFC 4648, section 5), which may begin with a
    sign.
    """

    regex = "[A-Za-z0-9_-]{1,64}"


register_converter(CodeConverter, "code")
register_converter(IdentifierConverter, "id")
register_converter(SecretConverter, "secret")
