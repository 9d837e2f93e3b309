"""The rows of one analysis: who is in it, with which values, and who is not, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from equipoise.analysis.derive import Frame, item_at
from equipoise.definition.expression import Node, Truth
from equipoise.definition.model.analysis import Endpoint, Fit
from equipoise.statistics.design import Array, dummies

INTERCEPT = "intercept"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One participant of an analysis; `measurements` holds the values of `Fit.repeated` (None: missing)."""

    participant: str
    arm: str | None
    response: float = 0.0
    against: float = 0.0
    event: bool = False
    offset: float = 0.0
    offset_against: float = 0.0
    covariates: tuple[float, ...] = ()
    categories: tuple[str, ...] = ()
    measurements: tuple[float | None, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """All rows of an analysis, with (participant, what was not known) for members of the set who are not in
    it.
    """

    rows: tuple[Row, ...]
    missing: tuple[tuple[str, str, str | None], ...]

    def of_arm(self, arm: str | None) -> tuple[Row, ...]:
        """The rows of an arm; None means all."""
        return self.rows if arm is None else tuple(row for row in self.rows if row.arm == arm)


class _Unknown(Exception):
    """A value that the analysis needs is not known; the argument says which."""


def derive_rows(frame: Frame, endpoint: Endpoint, fit: Fit, only: Sequence[str] | None = None) -> Rows:
    """The rows of an analysis, of all members of its set or of `only` some."""
    members = frame.analysis_set(fit.set).members
    wanted = members if only is None else [each for each in members if each in set(only)]
    rows: list[Row] = []
    missing: list[tuple[str, str, str | None]] = []
    for participant in wanted:
        arm = frame.people[participant].arm
        try:
            rows.append(_row(frame, endpoint, fit, participant, arm))
        except _Unknown as what:
            missing.append((participant, str(what), arm))
    return Rows(rows=tuple(rows), missing=tuple(missing))


def _row(frame: Frame, endpoint: Endpoint, fit: Fit, participant: str, arm: str | None) -> Row:
    def value(node: Node | None, what: str) -> float:
        if node is None:
            return 0.0
        found = frame.number(node, participant)
        if found is None or not np.isfinite(found):
            raise _Unknown(what)
        return found

    row = Row(participant=participant, arm=arm)
    if fit.model == "repeated_measures" and fit.item:
        measured = tuple(frame.number(item_at(fit.item, each), participant) for each in fit.repeated)
        if all(each is None for each in measured):
            raise _Unknown("no measurement")
        row = replace(row, measurements=measured)
    elif endpoint.type == "binary":
        row = replace(row, event=_event(frame, fit, participant))
    else:
        row = replace(
            row,
            response=value(fit.response, "outcome"),
            against=value(fit.against, "outcome of the other period"),
        )
        if endpoint.type == "count" and not _are_counts(row.response, row.against):
            raise _Unknown("outcome that is a count")
        if endpoint.type == "time_to_event":
            row = replace(row, event=_event(frame, fit, participant))
    return replace(
        row,
        offset=value(fit.offset, "exposure"),
        offset_against=value(fit.offset_against, "exposure of the other period"),
        covariates=tuple(value(node, words(name)) for name, node in fit.covariates.items()),
        categories=tuple(
            _category(frame, node, words(name), participant) for name, node in fit.categories.items()
        ),
    )


def _event(frame: Frame, fit: Fit, participant: str) -> bool:
    node = fit.event if fit.event is not None else fit.response
    found = Truth.UNKNOWN if node is None else frame.truth(node, participant)
    if found is Truth.UNKNOWN and node is not None:
        as_number = frame.number(node, participant)
        found = Truth.UNKNOWN if as_number is None else Truth.MET if as_number else Truth.NOT_MET
    if found is Truth.UNKNOWN:
        raise _Unknown("outcome")
    return found is Truth.MET


def _are_counts(*values: float) -> bool:
    return all(each >= 0 and each == int(each) for each in values)


def _category(frame: Frame, node: Node, what: str, participant: str) -> str:
    found = frame.text(node, participant)
    if found is None:
        raise _Unknown(what)
    return found


def words(name: str) -> str:
    """A name of the definition as words."""
    return name.replace("_", " ")


def arm_column(arm: str) -> str:
    """The name of the column of an arm."""
    return f"arm {arm}"


def design(
    rows: Sequence[Row], fit: Fit, arms: Sequence[str], reference: str | None
) -> tuple[Array, tuple[str, ...]]:
    """Intercept, an indicator of each arm but the reference, covariates, and indicators of the categories."""
    n = len(rows)
    columns: list[Array] = [np.ones((n, 1))]
    names = [INTERCEPT]
    for arm in arms:
        if arm != reference and reference is not None:
            columns.append(np.array([[float(row.arm == arm)] for row in rows]).reshape(n, 1))
            names.append(arm_column(arm))
    for index, name in enumerate(fit.covariates):
        columns.append(np.array([[row.covariates[index]] for row in rows]).reshape(n, 1))
        names.append(words(name))
    for index, name in enumerate(fit.categories):
        table, levels = dummies([row.categories[index] for row in rows], prefix=f"{words(name)} ")
        columns.append(table)
        names += levels
    return np.hstack(columns), tuple(names)


def reference_arm(frame: Frame, fit: Fit, present: Mapping[str, int]) -> str | None:
    """The arm to compare with: the one named, else the one that is no experiment, else the last; None for
    fewer than two.
    """
    arms = [arm for arm in frame.arms if present.get(arm)]
    if len(arms) < 2:
        return None
    if fit.reference is not None:
        return fit.reference if fit.reference in arms else None
    placebo = {each.id for each in frame.definition.study.interventions if each.placebo}
    by_type = ("placebo_comparator", "sham_comparator", "no_intervention")
    for arm in frame.definition.study.arms:
        first = next((cell for cell in arm.cells.values() if cell), ())
        if arm.id in arms and (arm.type in by_type or (first and set(first) <= placebo)):
            return arm.id
    return arms[-1]
