"""What a coded event becomes in each standard, and that an uncoded one stays what it was."""

from dataclasses import replace
from functools import cache
from typing import Any

from equipoise.analysis.cut import DataCut
from equipoise.analysis.derive import Frame, mask_cut
from equipoise.analysis.safety import derive_event_tables
from equipoise.definition.coded import Coding
from equipoise.definition.expression import FormRow, form_row
from equipoise.definition.lock import hashed
from equipoise.definition.model.datasets import Datasets, TabulatedVariable, Tabulation
from equipoise.definition.model.forms import Form
from equipoise.exchange.adam import adam_package
from equipoise.exchange.datasets.define import define_xml
from equipoise.exchange.datasets.model import Dataset, Package
from equipoise.exchange.e2b import write_icsr
from equipoise.exchange.fhir.tree import coded_concept
from equipoise.exchange.sdtm import sdtm_package
from tests.dictionaries import VERSION, invented
from tests.exchange.e2b_cases import RECEIVER, SENDER
from tests.exchange.results_trials import record_of, trial
from tests.small_trial import item


@cache
def coding(name: str, code: str) -> Coding:
    term = next(each for each in invented()[name].terms if each.code == code)
    return Coding(name, VERSION, term.levels)


def coded(cut: DataCut) -> DataCut:
    """The cut with every event coded: odd rows as glimmering of the ears, even ones as curled toes."""

    def row_with(row: FormRow) -> FormRow:
        if row.form != "adverse_event":
            return row
        code = "10000012" if (row.row or 0) % 2 else "10000017"
        return replace(row, codings={"term": coding("meddra", code)})

    people = (replace(each, rows=tuple(map(row_with, each.rows))) for each in cut.participants)
    return replace(cut, participants=tuple(people))


def dataset(package: Package, name: str) -> Dataset:
    return next(each for each in package.datasets if each.name == name)


def table(found: Dataset) -> list[dict[str, Any]]:
    return [dict(zip((each.name for each in found.variables), row, strict=True)) for row in found.rows]


def test_spec_the_tabulation_has_the_whole_hierarchy_of_a_coded_event() -> None:
    events = dataset(sdtm_package(coded(trial("parallel")[0])), "AE")
    first = next(row for row in table(events) if row["AELLTCD"] == 10000012)
    assert {name: first[name] for name in first if name.removeprefix("AE")[:3] in ("LLT", "DEC", "PTC")} == {
        "AELLT": "Glimmering of the ears",
        "AELLTCD": 10000012,
        "AEDECOD": "Glimmering",
        "AEPTCD": 10000021,
    }
    assert (first["AEHLT"], first["AEHLTCD"]) == ("Wobbles of the crown", 10000031)
    assert (first["AEHLGT"], first["AEHLGTCD"]) == ("Crown upsets", 10000041)
    assert (first["AEBODSYS"], first["AEBDSYCD"]) == ("Upsets of head", 10000051)
    assert (first["AESOC"], first["AESOCCD"]) == ("Upsets of head", 10000051)


def test_spec_define_names_the_dictionary_and_its_version() -> None:
    package = sdtm_package(coded(trial("parallel")[0]))
    variables = {each.name: each for each in dataset(package, "AE").variables}
    assert variables["AEDECOD"].origin == "Assigned"
    listed = variables["AEDECOD"].codelist
    assert listed is not None
    assert (listed.dictionary, listed.dictionary_version) == ("MedDRA", "28.1")
    assert b'Dictionary="MedDRA" Version="28.1"' in define_xml(package)


def test_spec_what_the_site_had_classed_is_kept_beside_the_dictionary() -> None:
    qualifiers = table(dataset(sdtm_package(coded(trial("parallel")[0])), "SUPPAE"))
    kept = {row["QVAL"] for row in qualifiers if row["QNAM"] == "AEBODSYR"}
    assert kept
    assert kept <= {"Infections", "Nervous", "General"}


def test_an_uncoded_event_is_tabulated_as_before() -> None:
    cut = trial("parallel")[0]
    events = dataset(sdtm_package(cut), "AE")
    assert {row["AEDECOD"] for row in table(events)} == {None}
    assert all(row["AEBODSYS"] in ("Infections", "Nervous", "General") for row in table(events))


def test_spec_analysis_data_have_what_the_tabulation_has() -> None:
    cut = coded(trial("parallel")[0])
    analysed = dataset(adam_package(cut), "ADAE")
    by_name = {each.name: each for each in analysed.variables}
    assert by_name["AEDECOD"].predecessor == "AE.AEDECOD"
    tabulated = {(row["USUBJID"], row["AESEQ"]): row for row in table(dataset(sdtm_package(cut), "AE"))}
    for row in table(analysed):
        same = tabulated[row["USUBJID"], row["AESEQ"]]
        for name in ("AELLT", "AELLTCD", "AEDECOD", "AEPTCD", "AEBODSYS", "AESOCCD"):
            assert row[name] == same[name]
    plain = {each.name for each in dataset(adam_package(trial("parallel")[0]), "ADAE").variables}
    assert "AEDECOD" not in plain


def test_spec_a_registry_record_groups_coded_events_by_class_and_preferred_term() -> None:
    cut = coded(trial("parallel")[0])
    module = record_of(cut, over_percent=0)["resultsSection"]["adverseEventsModule"]
    found = {
        (each["organSystem"], each["term"], each["sourceVocabulary"])
        for kind in ("seriousEvents", "otherEvents")
        for each in module.get(kind, ())
    }
    assert found == {
        ("Upsets of head", "Glimmering", "MedDRA 28.1"),
        ("Upsets of feet", "Curled toe", "MedDRA 28.1"),
    }
    assert "preferred terms of MedDRA 28.1" in module["description"]


def test_spec_the_report_has_a_table_by_class_and_preferred_term() -> None:
    cut = coded(trial("parallel")[0])
    tables = derive_event_tables(Frame(cut))
    (by_class,) = (each for each in tables if "preferred term (MedDRA 28.1)" in each.title)
    assert {row.label for row in by_class.rows} == {
        "All events",
        "UPSETS OF HEAD",
        "Glimmering",
        "UPSETS OF FEET",
        "Curled toe",
    }
    rows = {row.label: row.cells for row in by_class.rows}
    assert rows["UPSETS OF HEAD"] == rows["Glimmering"]
    for place, (events, _) in enumerate(rows["All events"]):
        assert events == rows["Glimmering"][place][0] + rows["Curled toe"][place][0]
    plain = derive_event_tables(Frame(trial("parallel")[0]))
    assert [each.title for each in plain] == [each.title for each in tables if each is not by_class]


def test_spec_a_safety_report_has_the_code_of_the_lowest_level_term_and_its_version() -> None:
    cut = trial("parallel")[0]
    person, row = next(
        (person, row)
        for person in cut.participants
        for row in person.rows
        if row.form == "adverse_event" and row.values["serious"].value is True
    )
    written = write_icsr(coded(cut), person.participant, row.row or 0, sender=SENDER, receiver=RECEIVER)
    code = "10000012" if (row.row or 0) % 2 else "10000017"
    assert f'code="{code}"'.encode() in written
    assert b'codeSystemVersion="28.1"' in written
    plain = write_icsr(cut, person.participant, row.row or 0, sender=SENDER, receiver=RECEIVER)
    assert b'codeSystemVersion="28.1"' not in plain


def test_spec_fhir_has_the_term_of_the_dictionary_beside_the_words_of_the_site() -> None:
    assert coded_concept("Shimmers", coding("meddra", "10000012")) == {
        "coding": [
            {
                "system": "https://www.meddra.org",
                "version": "28.1",
                "code": "10000012",
                "display": "Glimmering of the ears",
            }
        ],
        "text": "Shimmers",
    }
    assert coded_concept("Shimmers", None) == {"text": "Shimmers"}


def test_law_masking_a_cut_keeps_codings_and_drops_those_of_what_would_unmask() -> None:
    cut = coded(trial("parallel")[0])
    kept = [row for each in mask_cut(cut).participants for row in each.rows if row.form == "adverse_event"]
    assert kept
    assert all(row.codings for row in kept)
    forms = tuple(
        replace(form, items=tuple(replace(each, unmasking=each.id == "term") for each in form.items))
        if form.id == "adverse_event"
        else form
        for form in cut.definition.forms
    )
    hidden = mask_cut(replace(cut, definition=replace(cut.definition, forms=forms)))
    assert not any(row.codings for each in hidden.participants for row in each.rows)


MEDICINES = Form(
    id="medicines", title="Medicines", items=(item("name", "text", coded_with="whodrug"),), repeating=True
)


def test_spec_medicines_have_their_standard_name_and_class() -> None:
    cut = trial("parallel")[0]
    definition = cut.definition
    plan = definition.datasets or Datasets()
    named = TabulatedVariable(item="name", variable="CMTRT")
    medicines = Tabulation(form="medicines", domain="CM", variables=(named,))
    changed = hashed(
        replace(
            definition,
            forms=(*definition.forms, MEDICINES),
            datasets=replace(plan, forms=(*plan.forms, medicines)),
        )
    )
    person, *others = cut.participants
    taken = [_taken(number, code) for number, code in enumerate(("D001", "D003"), start=1)]
    more = replace(person, rows=(*person.rows, *taken))
    package = sdtm_package(replace(cut, definition=changed, participants=(more, *others)))
    rows = table(dataset(package, "CM"))
    assert [(row["CMTRT"], row["CMDECOD"], row["CMCLAS"], row["CMCLASCD"]) for row in rows] == [
        ("Pill 1", "Nodolum", "Soothers", "Z01AA"),
        ("Pill 2", "Quietin", None, None),
    ]


def _taken(number: int, code: str) -> FormRow:
    row = form_row("medicines", {"name": f"Pill {number}"}, row=number, recorded_at=None)
    return replace(row, codings={"name": coding("whodrug", code)})
