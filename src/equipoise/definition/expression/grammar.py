"""Reading the text grammar, with a Pratt parser.

Binding, loosest first: `or`, `and`, `not`, comparisons (which do not chain), `+ -`, `* /`, unary `-`. The
depth of nesting, the length of a text and the number of texts in one mapping are bounded, so that no input
can exhaust the reader.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import NoReturn, TypeVar

from .nodes import (
    AGGREGATES,
    COMPARISON_SIGNS,
    FUNCTIONS,
    WHOLE_FORM_AGGREGATES,
    Aggregate,
    All,
    Any,
    AtLeast,
    Between,
    Calculate,
    Call,
    Compare,
    ExpressionError,
    Fresh,
    In,
    IsKnown,
    Item,
    Labelled,
    Literal,
    Moment,
    Name,
    Negate,
    Node,
    Not,
    Window,
    height,
)
from .values import UNITS, Duration

MAX_DEPTH = 64
MAX_LENGTH = 4000
# One level of the tree takes at most two levels of the parser: an operand and the parentheses around it.
_MAX_NESTING = 2 * MAX_DEPTH + 2

RESERVED = frozenset(
    {"or", "and", "not", "between", "in", "is", "at", "where", "as", "true", "false"}
    | {"within", "before", "after", "from", "to"}
)
_UNIT_WORDS = {word: unit for unit in UNITS for word in (unit, unit[:-1])}

_TOKEN = re.compile(
    r"(?P<space>[ \t\r\n]+)|(?P<number>[0-9]+(?:\.[0-9]+)?)|(?P<word>[A-Za-z_][A-Za-z0-9_]*)"
    r"|(?P<text>'(?:[^']|'')*')|(?P<sign><=|>=|!=|[=<>+\-*/(),.])"
)
_OR, _AND, _NOT, _COMPARISON, _SUM, _PRODUCT, _UNARY = 1, 2, 3, 4, 5, 6, 7
_BINDING = {
    "or": _OR,
    "and": _AND,
    **dict.fromkeys((*COMPARISON_SIGNS, "between", "in", "is"), _COMPARISON),
    **dict.fromkeys("+-", _SUM),
    **dict.fromkeys("*/", _PRODUCT),
}
_HINTS = {
    '"': "text goes in single quotes",
    "'": "the closing single quote is missing",
    "!": "write != for 'is not equal to'",
}
_Built = TypeVar("_Built", bound=Node)


@dataclass(frozen=True, slots=True)
class _Token:
    type: str  # number, word, text, sign, end
    text: str
    offset: int


def parse_text(text: str, *, path: str = "", max_length: int = MAX_LENGTH) -> Node:
    """Read one expression of the text grammar; ExpressionError otherwise.

    `max_length` may be raised for the canonical text of a large mapping, which is longer than any of its
    parts.
    """
    if len(text) > max_length:
        raise ExpressionError(f"This expression is longer than {max_length} characters: split it.", path)
    node = _Parser(_tokens(text, path), path).whole()
    if height(node) > MAX_DEPTH:
        raise ExpressionError(TOO_DEEP, path)
    return node


TOO_DEEP = f"This expression is nested more than {MAX_DEPTH} deep: name a part of it as a variable."


def _tokens(text: str, path: str) -> list[_Token]:
    tokens, offset = [], 0
    while offset < len(text):
        found = _TOKEN.match(text, offset)
        if found is None:
            hint = _HINTS.get(text[offset], "this character has no meaning here")
            raise ExpressionError(f"Unexpected {text[offset]!r}: {hint}.", path, offset)
        if found.lastgroup != "space":
            tokens.append(_Token(str(found.lastgroup), found.group(), offset))
        offset = found.end()
    return [*tokens, _Token("end", "", len(text))]


class _Parser:
    def __init__(self, tokens: list[_Token], path: str) -> None:
        self.tokens = tokens
        self.path = path
        self.index = 0
        self.depth = 0
        self.where_of: str | None = None  # the form whose rows a `where` is choosing, outside parentheses

    # -- reading tokens

    @property
    def token(self) -> _Token:
        return self.tokens[self.index]

    def next_is(self, text: str) -> bool:
        """Whether the token after this one reads `text`; the list ends with a token that is never passed."""
        return self.tokens[min(self.index + 1, len(self.tokens) - 1)].text == text

    def take(self) -> _Token:
        token = self.token
        self.index += 1
        return token

    def sees(self, *texts: str) -> bool:
        return self.token.type in ("word", "sign") and self.token.text in texts

    def accept(self, text: str) -> bool:
        if self.sees(text):
            self.index += 1
            return True
        return False

    def fail(self, expected: str, token: _Token | None = None, hint: str = "") -> NoReturn:
        token = self.token if token is None else token
        found = "the text ends" if token.type == "end" else f"found {token.text!r}"
        word = token.text.lower()
        if token.type == "word" and word != token.text and word in RESERVED:
            hint = f" Write '{word}' in lower case."
        raise ExpressionError(f"Expected {expected}, but {found}.{hint}", self.path, token.offset)

    def expect(self, text: str, purpose: str) -> None:
        if not self.accept(text):
            self.fail(f"'{text}' {purpose}")

    def word(self, expected: str) -> str:
        if self.token.type != "word" or self.token.text in RESERVED:
            self.fail(expected)
        return self.take().text

    def build(self, make: Callable[[], _Built], token: _Token) -> _Built:
        """A node marked with the place where it starts; what its type rejects is an error at that place."""
        try:
            node = make()
        except ValueError as error:
            raise ExpressionError(str(error), self.path, token.offset) from None
        object.__setattr__(node, "offset", token.offset)
        object.__setattr__(node, "path", self.path)
        return node

    # -- expressions

    def whole(self) -> Node:
        node = self.expression()
        if self.token.type != "end":
            self.fail("an operator or the end of the expression")
        return node

    def expression(self, binding: int = 0) -> Node:
        self.depth += 1
        if self.depth > _MAX_NESTING:
            raise ExpressionError(TOO_DEEP, self.path, self.token.offset)
        node = self.prefix(binding)
        compared = False
        while self.token.type in ("word", "sign"):
            strength = _BINDING.get(self.token.text, 0)
            if strength <= binding:
                break
            if strength == _COMPARISON and compared:
                self.fail("'and' or 'or', as comparisons do not chain (use between)")
            compared = strength == _COMPARISON
            node = self.infix(node, strength)
        self.depth -= 1
        return node

    def enclosed(self, where_of: str | None = None) -> Node:
        """An expression of its own, within parentheses or (of the form given) after `where`."""
        outer, self.where_of = self.where_of, where_of
        node = self.expression()
        self.where_of = outer
        return node

    def infix(self, left: Node, strength: int) -> Node:
        token = self.take()
        sign = token.text
        if strength in (_OR, _AND):
            items = [left, self.expression(strength)]
            while self.accept(sign):
                items.append(self.expression(strength))
            joined = All if sign == "and" else Any
            return self.build(lambda: joined(tuple(items)), token)
        if sign == "between":
            low = self.expression(_COMPARISON)
            self.expect("and", "between the two ends of 'between'")
            high = self.expression(_COMPARISON)
            return self.build(lambda: Between(left, low, high), token)
        if sign == "in":
            options = self.options()
            return self.build(lambda: In(left, options), token)
        if sign == "is":
            if not self.sees("known", "unknown"):
                self.fail("'known' or 'unknown' after 'is'")
            known = self.take().text == "known"
            return self.build(lambda: IsKnown(left, known), token)
        right = self.expression(strength)
        node = Compare if strength == _COMPARISON else Calculate
        return self.build(lambda: node(sign, left, right), token)

    def options(self) -> tuple[Literal, ...]:
        self.expect("(", "and a list of values after 'in'")
        options = [self.constant()]
        while self.accept(","):
            options.append(self.constant())
        self.expect(")", "after the list of values")
        return tuple(options)

    def constant(self) -> Literal:
        token = self.token
        node = self.expression(_PRODUCT)
        if not isinstance(node, Literal):
            self.fail("a number, a text in single quotes, true, false or a date", token)
        return node

    def prefix(self, binding: int) -> Node:
        token = self.token
        if token.type == "number":
            return self.number()
        if token.type == "text":
            self.take()
            return self.build(lambda: Literal(_unquoted(token)), token)
        if self.accept("("):
            return self.parenthesis(token)
        if self.accept("-"):
            return self.negative(token)
        if self.sees("not"):
            if binding > _NOT:
                self.fail("a value here; put 'not ...' in parentheses")
            self.take()
            operand = self.expression(_AND)
            return self.build(lambda: Not(operand), token)
        if self.sees("true", "false"):
            self.take()
            return self.build(lambda: Literal(token.text == "true"), token)
        if token.type != "word" or token.text in RESERVED:
            wanted = "a value: a number, a text in single quotes, form.item, a name or a function"
            self.fail(wanted, hint=f" Nothing can be named '{token.text}'." if token.type == "word" else "")
        return self.named()

    def number(self) -> Literal:
        token = self.take()
        if self.token.type == "word" and self.token.text in _UNIT_WORDS:
            if "." in token.text:
                self.fail("a whole number of calendar units", token)
            unit = _UNIT_WORDS[self.take().text]
            return self.build(lambda: Literal(Duration(int(token.text), unit)), token)
        return self.build(lambda: Literal(Decimal(token.text)), token)

    def negative(self, token: _Token) -> Node:
        if self.token.type == "number":
            literal = self.number()
            if isinstance(literal.value, Decimal):
                value = literal.value.copy_negate()
                return self.build(lambda: Literal(value), token)
            return self.build(lambda: Negate(literal), token)
        operand = self.expression(_UNARY)
        return self.build(lambda: Negate(operand), token)

    def parenthesis(self, token: _Token) -> Node:
        node = self.enclosed()
        if self.accept("as"):
            label = self.token
            if label.type != "text":
                self.fail("a label in single quotes after 'as'")
            self.take()
            inner = node
            node = self.build(lambda: Labelled(_unquoted(label), inner), token)
        self.expect(")", "to close the parenthesis")
        return node

    def named(self) -> Node:
        token = self.take()
        name = token.text
        if name == "date" and self.token.type == "text":
            day = self.take()
            return self.build(lambda: Literal(_day(_unquoted(day))), day)
        if self.sees("("):
            if name in AGGREGATES:
                return self.aggregate(token)
            if name == "at_least":
                return self.at_least(token)
            return self.fresh(token) if name == "fresh" else self.call(token)
        if self.sees("."):
            item = self.item(token)
            # `where form.item at week_4`: the row's own value is meant, so `at` is the aggregate's.
            if item.form != self.where_of and self.accept("at"):
                encounter = self.word("an encounter after 'at'")
                return self.build(lambda: Item(item.form, item.item, encounter), token)
            return item
        return self.build(lambda: Name(name), token)

    def item(self, form: _Token) -> Item:
        self.expect(".", "and an item after the form")
        if self.token.type != "word":
            self.fail(f"an item of the form '{form.text}' after the point")
        item = self.take().text
        return self.build(lambda: Item(form.text, item), form)

    # -- functions

    def arguments(self) -> list[Node]:
        arguments = [self.enclosed()]
        while self.accept(","):
            arguments.append(self.enclosed())
        return arguments

    def call(self, token: _Token) -> Node:
        if token.text not in FUNCTIONS:
            known = ", ".join(sorted({*FUNCTIONS, *AGGREGATES, "fresh", "at_least"}))
            self.fail(f"a function ({known})", token)
        fewest, most = FUNCTIONS[token.text]
        self.take()
        arguments = tuple(self.arguments())
        self.expect(")", f"after the arguments of '{token.text}'")
        if not fewest <= len(arguments) <= (most or len(arguments)):
            wanted = f"{fewest}" if most == fewest else f"at least {fewest}"
            message = f"'{token.text}' takes {wanted} argument(s), not {len(arguments)}."
            raise ExpressionError(message, self.path, token.offset)
        return self.build(lambda: Call(token.text, arguments), token)

    def at_least(self, token: _Token) -> Node:
        self.take()
        number = self.take()
        if number.type != "number" or "." in number.text:
            self.fail("a whole number first in 'at_least'", number)
        self.expect(",", "after the number of 'at_least'")
        items = tuple(self.arguments())
        self.expect(")", "after the conditions of 'at_least'")
        return self.build(lambda: AtLeast(int(number.text), items), token)

    def fresh(self, token: _Token) -> Node:
        self.take()
        value = self.token
        item = self.enclosed()
        if not isinstance(item, Item):
            self.fail("form.item first in 'fresh'", value)
        self.expect(",", "and a duration in 'fresh'")
        duration = self.duration("a duration such as 30 days")
        self.expect(")", "after the duration of 'fresh'")
        return self.build(lambda: Fresh(item, duration), token)

    def duration(self, expected: str) -> Duration:
        token = self.token
        literal = self.number() if token.type == "number" else None
        if literal is None or not isinstance(literal.value, Duration):
            self.fail(expected, token)
        return literal.value

    def aggregate(self, token: _Token) -> Node:
        function = token.text
        self.take()
        known = self.sees("known") and not self.next_is(".")
        if known:
            self.take()
        target = self.token
        form = self.word(f"a form or form.item in '{function}'")
        item = self.item(target).item if self.sees(".") else None
        if item is None and (known or function not in WHOLE_FORM_AGGREGATES):
            self.fail(f"an item of the form '{form}': write {form}.item")
        where = self.enclosed(form) if self.accept("where") else None
        window = self.window()
        encounters: list[str] = []
        if self.accept("at"):
            encounters.append(self.word("an encounter after 'at'"))
            while self.accept(","):
                encounters.append(self.word("an encounter after ','"))
        self.expect(")", f"to close '{function}'")
        return self.build(
            lambda: Aggregate(function, form, item, known, where, window, tuple(encounters)), token
        )

    def window(self) -> Window | None:
        if self.accept("within"):
            duration = self.duration("a duration such as 12 months after 'within'")
            if not self.sees("before", "after"):
                self.fail("'before' or 'after' and an anchor")
            before = self.take().text == "before"
            anchor = self.anchor()
            shifted = Moment(anchor, duration, -1 if before else 1)
            return Window(shifted, Moment(anchor)) if before else Window(Moment(anchor), shifted)
        if self.accept("before"):
            return Window(None, self.moment())
        if self.accept("after"):
            return Window(self.moment(), None)
        if self.accept("from"):
            start = self.moment()
            self.expect("to", "and the end of the window")
            return Window(start, self.moment())
        return None

    def moment(self) -> Moment:
        if self.token.type != "number":
            return Moment(self.anchor())
        duration = self.duration("a duration such as 12 months")
        if not self.sees("before", "after"):
            self.fail("'before' or 'after' and an anchor")
        sign = -1 if self.take().text == "before" else 1
        return Moment(self.anchor(), duration, sign)

    def anchor(self) -> Name | Item:
        token = self.token
        name = self.word("an anchor: a name such as randomisation, or form.item")
        return self.item(token) if self.sees(".") else self.build(lambda: Name(name), token)


def _unquoted(token: _Token) -> str:
    return token.text[1:-1].replace("''", "'")


def _day(text: str) -> date:
    if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text) is None:
        raise ValueError(f"'{text}' is not a date: write date '2024-05-17'.")
    return date.fromisoformat(text)
