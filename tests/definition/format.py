"""The keys of the study folder as its documentation must give them, derived from the model's dataclasses."""

import importlib
import pkgutil
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import MISSING, Field, fields, is_dataclass
from decimal import Decimal
from typing import get_args

import equipoise.definition.model as model

# The definition as a whole is compiled, not written.
NOT_WRITTEN = frozenset({"StudyDefinition"})

WORDS = {
    "Identifier": "name",
    "Text": "text",
    "str": "text",
    "SiteIdentifier": "site code",
    "CountryCode": "country code",
    "Duration": "duration",
    "Condition": "condition",
    "Quantity": "expression",
    "Decimal": "number",
    "float": "number",
    "int": "whole number",
    "bool": "true or false",
    "date": "date",
}


def documented_classes() -> Iterator[type]:
    """Every dataclass of the model, in the order of the modules."""
    for module in pkgutil.iter_modules(model.__path__, f"{model.__name__}."):
        for found in vars(importlib.import_module(module.name)).values():
            if not (isinstance(found, type) and is_dataclass(found)):
                continue
            if found.__module__ == module.name and found.__name__ not in NOT_WRITTEN:
                yield found


def type_words(annotation: str, module: str) -> str:
    """A type as an author reads it: 'list of `Arm`', 'mapping of name to condition'."""
    annotation = annotation.strip().removesuffix("| None").strip()
    if found := re.fullmatch(r"tuple\[(.+), \.\.\.\]", annotation):
        return f"list of {type_words(found[1], module)}"
    if found := re.fullmatch(r"dict\[(\w+), (.+)\]", annotation):
        return f"mapping of {type_words(found[1], module)} to {type_words(found[2], module)}"
    if annotation in WORDS:
        return WORDS[annotation]
    if found := re.fullmatch(r"Literal\[(.+)\]", annotation):
        return one_of(re.findall(r"'(.+?)'", found[1]))
    meant = getattr(sys.modules[module], annotation)
    if isinstance(meant, type):
        return f"`{annotation}`"
    return one_of(get_args(meant))


def one_of(words: Iterable[str]) -> str:
    """The words of a choice."""
    return "one of " + ", ".join(f"`{word}`" for word in words)


def default_words(field: Field) -> str:
    """A default as an author reads it: 'required', 'none', a value."""
    if field.default_factory is not MISSING:
        return "none"
    value = field.default
    if value is MISSING:
        return "required"
    if value in (None, ()) or is_dataclass(value):
        return "none"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, tuple):
        return f"`[{', '.join(value)}]`"
    return f"`{value}`" if isinstance(value, str | int | Decimal) else f"`{value!r}`"


def row_start(owner: type, field: Field) -> str:
    """How the line of a key begins in the table of its class."""
    return f"| `{field.name}` | {type_words(str(field.type), owner.__module__)} | {default_words(field)} |"


def table_start(owner: type) -> list[str]:
    """How the lines of the table of a class begin."""
    return [row_start(owner, field) for field in fields(owner)]
