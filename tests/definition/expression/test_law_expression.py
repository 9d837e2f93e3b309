"""Laws of the expression language, by Hypothesis."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from equipoise.definition import expression as ex

FORMS, ITEMS, ENCOUNTERS = ["exam", "event"], ["score", "known", "date"], ["week_4", "months"]
forms, items = st.sampled_from(FORMS), st.sampled_from(ITEMS)
names = st.sampled_from(["age", "randomisation", "known", "date", "count"])
durations = st.builds(
    ex.Duration, st.integers(0, 40), st.sampled_from(["hours", "days", "weeks", "months", "years"])
)
constants = st.one_of(
    st.decimals(-1000, 1000, places=2),
    st.integers(-9, 9),
    st.booleans(),
    st.dates(),
    st.text("ab'\n ü\"", max_size=4),
)
plain_items = st.builds(ex.Item, forms, items)
any_items = st.builds(ex.Item, forms, items, st.none() | st.sampled_from(ENCOUNTERS))
anchors = st.one_of(st.builds(ex.Name, names), plain_items)
moments = st.one_of(
    st.builds(ex.Moment, anchors), st.builds(ex.Moment, anchors, durations, st.sampled_from([-1, 1]))
)
same_anchor = anchors.flatmap(
    lambda anchor: st.builds(
        lambda shift, sign: ex.Window(*[ex.Moment(anchor, shift, sign), ex.Moment(anchor)][::-sign]),
        durations,
        st.sampled_from([-1, 1]),
    )
)
windows = st.one_of(
    same_anchor,
    st.builds(ex.Window, moments, moments),
    st.builds(ex.Window, st.none(), moments),
    st.builds(ex.Window, moments, st.none()),
)
labels = st.text("a'b ", min_size=1, max_size=4).filter(str.strip)


def aggregates(wheres: st.SearchStrategy[ex.Node]) -> st.SearchStrategy[ex.Node]:
    limits = {
        "where": st.none() | wheres,
        "window": st.none() | windows,
        "encounters": st.lists(st.sampled_from(ENCOUNTERS), max_size=2).map(tuple),
    }
    functions = st.sampled_from(["count", "sum", "mean", "min", "max", "first", "last", "any"])
    return st.one_of(
        st.builds(ex.Aggregate, functions, forms, items, st.booleans(), **limits),
        st.builds(ex.Aggregate, st.sampled_from(["count", "any"]), forms, **limits),
    )


def larger(nodes: st.SearchStrategy[ex.Node]) -> st.SearchStrategy[ex.Node]:
    several = st.lists(nodes, min_size=2, max_size=3).map(tuple)
    arity = {"abs": 1, "round": 2, "years": 2, "if": 3, "coalesce": 2, "least": 3}
    return st.one_of(
        st.builds(ex.Compare, st.sampled_from(["=", "!=", "<", "<=", ">", ">="]), nodes, nodes),
        st.builds(ex.Calculate, st.sampled_from("+-*/"), nodes, nodes),
        st.builds(ex.Between, nodes, nodes, nodes),
        st.builds(
            ex.In, nodes, st.lists(st.builds(ex.Literal, constants), min_size=1, max_size=3).map(tuple)
        ),
        st.builds(ex.IsKnown, nodes, st.booleans()),
        st.builds(ex.Negate, nodes),
        st.builds(ex.Not, nodes),
        st.builds(ex.All, several),
        st.builds(ex.Any, several),
        st.builds(ex.AtLeast, st.integers(1, 2), several),
        st.builds(ex.Labelled, labels, nodes),
        st.sampled_from(sorted(arity)).flatmap(
            lambda name: st.builds(ex.Call, st.just(name), st.tuples(*[nodes] * arity[name]))
        ),
        aggregates(nodes),
    )


leaves = st.one_of(
    st.builds(ex.Literal, constants),
    st.builds(ex.Literal, durations),
    any_items,
    st.builds(ex.Name, names),
    st.builds(ex.Fresh, any_items, durations),
)
trees: st.SearchStrategy[ex.Node] = st.recursive(leaves, larger, max_leaves=12)


@given(trees)
def test_text_reads_back_as_the_same_tree(tree: ex.Node) -> None:
    assert ex.parse_text(ex.unparse(tree), max_length=10**6) == tree


@given(trees)
def test_mapping_form_reads_back_as_the_same_tree(tree: ex.Node) -> None:
    assert ex.parse_condition(ex.to_raw(tree)) == tree


@given(trees)
def test_every_tree_can_be_told_and_explained(tree: ex.Node) -> None:
    evidence = ex.EvidenceTable(date(2024, 5, 1))
    assert ex.prose(tree, ex.PlainNames())
    explanation = ex.explain(tree, evidence)
    assert explanation.lines()
    assert explanation.outcome in (None, ex.truth(tree, evidence))


@given(st.text("ab.(),'<>=!+-*/ 13" + '\n"#é', max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        tree = ex.parse_text(text)
    except ex.ExpressionError as error:
        assert error.message.endswith((".", "?"))
    else:
        assert ex.parse_text(ex.unparse(tree)) == tree


# -- the law of evidence

_days = st.dates(date(2023, 1, 1), date(2024, 12, 31))


@st.composite
def facts(draw: st.DrawFn) -> tuple[ex.EvidenceTable, ex.EvidenceTable]:
    """The same participant, known less and known fully."""

    def blur(day: date) -> ex.PartialDate | None:
        full = ex.PartialDate.of(day)
        return draw(
            st.sampled_from([full, ex.PartialDate(day.year, day.month), ex.PartialDate(day.year), None])
        )

    def pair(form: str, encounter: str | None, position: int) -> tuple[ex.FormRow, ex.FormRow]:
        day = draw(_days)
        full: dict[str, ex.Value] = {
            "score": draw(st.integers(-2, 3)),
            "flag": draw(st.booleans()),
            "kind": draw(st.sampled_from(["a", "b"])),
            "day": draw(_days),
        }
        less: dict[str, ex.Value] = {
            key: value if draw(st.booleans()) else None for key, value in full.items()
        }
        if isinstance(full["day"], date) and draw(st.booleans()):
            less["day"] = blur(full["day"])
        rows = [(less, blur(day)), (full, ex.PartialDate.of(day))]
        made = [
            ex.form_row(form, values, encounter=encounter, row=position, date=when, position=position)
            for values, when in rows
        ]
        return made[0], made[1]

    rows = [pair("exam", None, 0)]
    rows += [pair("visit", encounter, 0) for encounter in ("v1", "v2") if draw(st.booleans())]
    rows += [pair("event", None, position) for position in range(draw(st.integers(0, 3)))]
    start, as_of = draw(_days), draw(_days)
    reviewed, unreviewed = draw(_days), draw(st.booleans())
    # A log that nobody has reviewed may lack rows.
    entered = [row for row in rows if not unreviewed or row[0].form != "event" or draw(st.booleans())]
    less = ex.EvidenceTable(
        as_of,
        [row for row, _ in entered],
        anchors={"start": start if draw(st.booleans()) else None},
        reviewed={} if unreviewed else {"event": reviewed - timedelta(30)},
        logs=["event"],
    )
    more = ex.EvidenceTable(
        as_of,
        [row for _, row in rows],
        anchors={"start": start},
        reviewed={"event": reviewed},
        logs=["event"],
    )
    return less, more


_scores = st.sampled_from([ex.Item("exam", "score"), ex.Item("visit", "score", "v1"), ex.Literal(Decimal(1))])
_dates = st.sampled_from(
    [ex.Item("exam", "day"), ex.Item("event", "day"), ex.Name("start"), ex.Name("today")]
)
_law_moments = st.one_of(
    st.builds(ex.Moment, st.sampled_from([ex.Name("start"), ex.Name("today"), ex.Item("exam", "day")])),
    st.builds(ex.Moment, st.just(ex.Name("start")), durations, st.sampled_from([-1, 1])),
)
_law_windows = st.one_of(
    st.none(),
    st.builds(ex.Window, _law_moments, _law_moments),
    st.builds(ex.Window, st.none(), _law_moments),
    st.builds(ex.Window, _law_moments, st.none()),
)
# Of `event`, which has several rows, items are read in `where` only: the latest of several may be replaced.
_wheres = st.one_of(
    st.none(),
    st.builds(ex.In, st.just(ex.Item("event", "kind")), st.just((ex.Literal("a"),))),
    st.builds(
        ex.Compare, st.sampled_from(["<", ">="]), st.just(ex.Item("event", "day")), st.just(ex.Name("start"))
    ),
    st.just(ex.Item("event", "flag")),
)
_aggregated = st.one_of(
    st.builds(
        ex.Aggregate,
        st.sampled_from(["count", "sum", "mean", "min", "max", "first", "last"]),
        st.just("event"),
        st.just("score"),
        where=_wheres,
        window=_law_windows,
    ),
    st.builds(ex.Aggregate, st.just("count"), st.just("event"), where=_wheres, window=_law_windows),
    st.builds(
        ex.Aggregate,
        st.sampled_from(["count", "sum", "mean", "min", "max", "first", "last"]),
        st.just("visit"),
        st.just("score"),
        encounters=st.just(("v1", "v2")),
    ),
)
_single_dates = _dates.filter(lambda node: node != ex.Item("event", "day"))


def _larger_numbers(nodes: st.SearchStrategy[ex.Node]) -> st.SearchStrategy[ex.Node]:
    return st.one_of(
        st.builds(ex.Calculate, st.sampled_from("+-*/"), nodes, nodes),
        st.builds(ex.Negate, nodes),
        st.builds(
            lambda name, node: ex.Call(name, (node,)), st.sampled_from(["abs", "log1p", "sqrt", "exp"]), nodes
        ),
        st.builds(
            lambda name, a, b: ex.Call(name, (a, b)), st.sampled_from(["least", "greatest"]), nodes, nodes
        ),
        st.builds(lambda a, b: ex.Call("if", (ex.Item("exam", "flag"), a, b)), nodes, nodes),
        st.builds(lambda a: ex.Call("round", (a, ex.Literal(0))), nodes),
    )


_numbers: st.SearchStrategy[ex.Node] = st.recursive(
    st.one_of(
        _scores,
        _aggregated,
        st.builds(ex.Fresh, st.just(ex.Item("exam", "score")), durations),
        st.builds(
            lambda name, a, b: ex.Call(name, (a, b)),
            st.sampled_from(["years", "months", "days"]),
            _single_dates,
            _single_dates,
        ),
    ),
    _larger_numbers,
    max_leaves=4,
)
_signs = st.sampled_from(["=", "!=", "<", "<=", ">", ">="])
_shifted = st.builds(ex.Calculate, st.sampled_from("+-"), _single_dates, st.builds(ex.Literal, durations))
_conditions: st.SearchStrategy[ex.Node] = st.recursive(
    st.one_of(
        st.builds(ex.Compare, _signs, _numbers, _numbers),
        st.builds(ex.Compare, _signs, _shifted, _single_dates),
        st.builds(ex.Between, _single_dates, _shifted, _shifted),
        st.builds(ex.In, _numbers, st.just((ex.Literal(0), ex.Literal(1), ex.Literal("a")))),
        st.just(ex.Item("exam", "flag")),
        st.builds(ex.Aggregate, st.just("any"), st.just("event"), st.just("flag"), window=_law_windows),
        st.builds(ex.Aggregate, st.just("any"), st.just("event"), where=_wheres, window=_law_windows),
    ),
    lambda nodes: st.one_of(
        st.builds(ex.Not, nodes),
        st.builds(ex.All, st.tuples(nodes, nodes)),
        st.builds(ex.Any, st.tuples(nodes, nodes)),
        st.builds(ex.AtLeast, st.just(2), st.tuples(nodes, nodes, nodes)),
    ),
    max_leaves=4,
)


@given(_conditions, facts())
def test_more_evidence_settles_a_condition_and_never_reverses_it(
    condition: ex.Node, known: tuple[ex.EvidenceTable, ex.EvidenceTable]
) -> None:
    less, more = known
    assert ex.is_monotone(condition)
    before, after = ex.truth(condition, less), ex.truth(condition, more)
    assert before is ex.Truth.UNKNOWN or after is before


@given(_numbers, facts())
def test_an_interval_holds_what_the_value_turns_out_to_be(
    quantity: ex.Node, known: tuple[ex.EvidenceTable, ex.EvidenceTable]
) -> None:
    less, more = ex.evaluate(quantity, known[0]), ex.number(quantity, known[1])
    if isinstance(less, ex.Interval) and isinstance(more, int | Decimal):
        low, high = less.low, less.high
        assert not isinstance(low, date)
        assert not isinstance(high, date)
        assert low is None or low <= more
        assert high is None or more <= high


def test_large_numbers_keep_every_digit() -> None:
    digits = "1234567890" * 4
    assert ex.unparse(ex.parse_text(f"-{digits}")) == f"-{digits}"
    assert ex.number(ex.parse_text(f"abs(-{digits})"), ex.EvidenceTable(date(2024, 5, 1))) == Decimal(digits)
    assert ex.prose(ex.parse_text(f"f.i = -({digits})"), ex.PlainNames()).endswith(f"is minus {digits}")
