"""datasets.yaml: what the answers of each form are called in the tabulation datasets (SDTM)."""

from __future__ import annotations

from dataclasses import dataclass, field

from equipoise.definition.model.fields import Identifier, Text


@dataclass(frozen=True, slots=True, kw_only=True)
class TabulatedVariable:
    """An item that becomes a variable of the record, or a qualifier beside it where the domain has none.

    Either `variable` is one of the guide's for the domain, or `qualifier` with its `label` is a name of the
    study's own. `values` maps codes (of a boolean: true, false) to submission values. `unit` goes with a
    dose.
    """

    item: Identifier
    variable: Text | None = None
    qualifier: Text | None = None
    label: Text | None = None
    values: dict[Text, Text] = field(default_factory=dict)
    unit: Text | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TabulatedTest:
    """An item that becomes a record of its own.

    In a findings domain it is a test: `code` and `name` are --TESTCD and --TEST, the answer is its result. In
    a domain of events or interventions it is asked about by name: `name` is the term, the answer says whether
    it occurred. `dated_by` names the item that dates the record where the form's own date does not.
    """

    __test__ = False

    item: Identifier
    name: Text
    code: Text | None = None
    unit: Text | None = None
    dated_by: Identifier | None = None
    values: dict[Text, Text] = field(default_factory=dict)
    constants: dict[Text, Text] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tabulation:
    """The records that a row of a form makes in one domain; `constants` hold the same value in each."""

    form: Identifier
    domain: Text
    variables: tuple[TabulatedVariable, ...] = ()
    tests: tuple[TabulatedTest, ...] = ()
    constants: dict[Text, Text] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Datasets:
    """The whole of datasets.yaml.

    `disposition` maps the causes for which participants leave, as recorded, to submission values.
    `terminology` is the date of the CDISC controlled terminology that the values are from.
    """

    forms: tuple[Tabulation, ...] = ()
    disposition: dict[Text, Text] = field(default_factory=dict)
    terminology: Text | None = None
