"""The expression language: conditions and quantities of a study, read once, interpreted many times.

A condition in a study folder is a text, or a mapping of `all`, `any`, `at_least: {n, of}`, `not` or `when`,
each with an optional label `text`. The text grammar:

- `a or b`, `a and b`, `not a`, `at_least(2, a, b, c)`, `(a as 'label')`
- `= != < <= > >=`, `x between a and b`, `x in ('a', 3)`, `x is known`, `x is unknown`
- `+ - * /`; numbers, `'text'`, `true`, `false`, `date '2024-05-01'`; `3 months`, `30 days`, `2 years`, `24
  hours`, `2 weeks`
- `form.item` (latest known value), `form.item at week_4`, and bare names: a variable, else an anchor date
- `years(a, b)`, `months(a, b)`, `days(a, b)` (completed, from a to b), `abs`, `round(x, n)`, `log`, `log1p`,
  `exp`, `sqrt`, `least(...)`, `greatest(...)`, `coalesce(...)`, `if(condition, a, b)`, `fresh(form.item, 30
  days)`
- `count(form ...)`, `any(form ...)`, and `count sum mean min max first last any` of `[known] form.item`, each
  with `[where condition] [window] [at encounter, ...]` in this order; in `where`, an item of the same form is
  the row's own
- windows: `within 12 months before anchor`, `within 30 days after anchor`, `before anchor`, `after anchor`,
  `before 12 months before anchor`, `from anchor to anchor`, where an anchor is a name or `form.item`

Every window and `between` includes both of its ends: `within 12 months before randomisation` holds the day of
randomisation and the same day of the month a year earlier; `fresh(x, 30 days)` holds on the 30th day after.
Dates carry no time of day, so hours that are no whole number of days leave the end open by a day.

A word that the language uses (`grammar.RESERVED`) cannot name a form, a variable or an anchor, but can name
an item.
"""

from .evaluate import Outcome, evaluate, number, truth
from .evidence import Evidence, EvidenceTable, FormRow, Observation, form_row
from .explain import Explanation, Source, explain, shown
from .grammar import MAX_DEPTH, MAX_LENGTH, RESERVED, parse_text
from .mapping import parse_condition
from .nodes import (
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
    References,
    Window,
    is_monotone,
    references,
    walk,
)
from .prose import Names, PlainNames, prose
from .typecheck import Problem, Symbols, check_variables, type_of, typecheck
from .unparse import to_raw, unparse
from .values import (
    UNKNOWN,
    Duration,
    Exact,
    Interval,
    PartialDate,
    Quantity,
    Truth,
    Value,
    completed_months,
    completed_years,
    decode_value,
    encode_value,
    plus_duration,
)

__all__ = [
    "MAX_DEPTH",
    "MAX_LENGTH",
    "RESERVED",
    "UNKNOWN",
    "Aggregate",
    "All",
    "Any",
    "AtLeast",
    "Between",
    "Calculate",
    "Call",
    "Compare",
    "Duration",
    "Evidence",
    "EvidenceTable",
    "Exact",
    "Explanation",
    "ExpressionError",
    "FormRow",
    "Fresh",
    "In",
    "Interval",
    "IsKnown",
    "Item",
    "Labelled",
    "Literal",
    "Moment",
    "Name",
    "Names",
    "Negate",
    "Node",
    "Not",
    "Observation",
    "Outcome",
    "PartialDate",
    "PlainNames",
    "Problem",
    "Quantity",
    "References",
    "Source",
    "Symbols",
    "Truth",
    "Value",
    "Window",
    "check_variables",
    "completed_months",
    "completed_years",
    "decode_value",
    "encode_value",
    "evaluate",
    "explain",
    "form_row",
    "is_monotone",
    "number",
    "parse_condition",
    "parse_text",
    "plus_duration",
    "prose",
    "references",
    "shown",
    "to_raw",
    "truth",
    "type_of",
    "typecheck",
    "unparse",
    "walk",
]
