"""E2B(R3): what a report says, what a blinded one keeps to itself, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from equipoise.access.refusal import Refused
from equipoise.analysis.cut import DataCut
from equipoise.analysis.derive import mask_cut
from equipoise.conduct.trial import Trial
from equipoise.definition.expression import PartialDate, Truth
from equipoise.exchange.e2b import Sender, missing_elements, read_icsr, write_icsr
from equipoise.exchange.e2b.elements import ELEMENTS
from equipoise.exchange.e2b.event_codes import Answers, age_at
from equipoise.exchange.e2b.hl7 import ICH, NAMESPACE, XSI
from equipoise.exchange.made import NotWritten
from equipoise.exchange.unreadable import FileUnreadable
from tests.analysis.cuts import swap_arms
from tests.blinding.worlds import World, make_worlds
from tests.exchange.e2b_cases import (
    ASSESSMENT,
    RECEIVER,
    SENDER,
    elements,
    full_cut,
    full_definition,
    rehearsed,
    serious_events,
    write,
)

BLINDED = "Cells or Vehicle (blinded)"


def report(cut: DataCut, participant: str, row: int, *, unblinded: bool = False) -> bytes:
    return write_icsr(cut, participant, row, sender=SENDER, receiver=RECEIVER, unblinded=unblinded)


# -- what stands in a report


def test_spec_every_element_of_the_table_is_written_and_read_back(tmp_path: Path) -> None:
    found = elements(write(full_cut()), tmp_path)
    assert set(found) == {each.number for each in ELEMENTS}
    assert missing_elements(found) == ()


EXPECTED = {
    "N.1.2": "SE-UNI-kite-SE01-002-1-1234",
    "N.1.3": "UNI",
    "N.1.4": "EVGATEWAY",
    "N.1.5": "20250630120000+0000",
    "N.2.r.3": "EVHUMAN",
    "C.1.1": "SE-UNI-kite-SE01-002-1",
    "C.1.3": "2",
    "C.1.4": "20240206",
    "C.1.7": "false",
    "C.1.8.1": "SE-UNI-kite-SE01-002-1",
    "C.1.9.1": "nullFlavor NI",
    "C.2.r.1.4": "nullFlavor MSK",
    "C.2.r.2.1": "North hospital",
    "C.2.r.4": "1",
    "C.3.1": "3",
    "C.3.2": "A university",
    "C.3.3.1": "Trials & safety",
    "C.3.3.5": "Åström",
    "C.3.4.8": "safety@university.example",
    "C.5.3": "UNI-7",
    "C.5.4": "1",
    "D.1": "nullFlavor MSK",
    "D.1.1.4": "SE01-002",
    "D.7.2": "nullFlavor UNK",
    "D.9.1": "20240209",
    "D.9.3": "nullFlavor UNK",
    "E.i.1.1a": "Fever, with a rash & < 3 °C",
    "E.i.1.1b": "eng",
    "E.i.2.1a": "27.0",
    "E.i.2.1b": "10016558",
    "E.i.3.2c": "true",
    "E.i.4": "20240203",
    "E.i.5": "20240209",
    "E.i.7": "5",
    "E.i.9": "SE",
    "G.k.2.5": "true",
    "G.k.8": "1",
    "H.2": "He had eaten nuts.",
    "H.4": "Seen by the board.",
}


def test_spec_what_the_elements_say(tmp_path: Path) -> None:
    found = elements(write(full_cut()), tmp_path)
    assert {number: found[number] for number in EXPECTED} == {
        number: (text,) for number, text in EXPECTED.items()
    }


def test_spec_registrations_are_those_of_the_participants_own_trial(tmp_path: Path) -> None:
    found = elements(write(full_cut()), tmp_path)
    assert found["C.5.1.r.1"] == ("2020-000001-11", "NCT00000001")
    assert found["C.5.1.r.2"] == ("EU", "SE")


def test_spec_both_judgements_of_causality_stand_with_their_source(tmp_path: Path) -> None:
    found = elements(write(full_cut()), tmp_path)
    assert found["G.k.9.i.2.r.1"] == ("Investigator", "Sponsor")
    assert found["G.k.9.i.2.r.3"] == ("Possible", "Not related")


def test_spec_medication_counts_as_concomitant_while_it_was_taken(tmp_path: Path) -> None:
    found = elements(write(full_cut()), tmp_path)
    assert found["G.k.2.2"] == (BLINDED, "Aspirin")
    assert found["G.k.1"] == ("1", "2")
    assert found["G.k.7.r.1"] == ("A condition", "Headache")


def test_spec_an_event_that_nobody_coded_is_written_and_its_code_listed_as_missing(tmp_path: Path) -> None:
    found = elements(write(full_cut(llt=None, dictionary=None)), tmp_path)
    assert missing_elements(found) == ("E.i.2.1a", "E.i.2.1b")


def test_spec_an_event_without_a_criterion_of_seriousness_is_listed_as_lacking_one(tmp_path: Path) -> None:
    cut = rehearsed("crossover")
    found = elements(report(cut, *next(serious_events(cut))), tmp_path)
    assert missing_elements(found) == ("E.i.2.1a", "E.i.2.1b", "E.i.3.2")


@pytest.mark.parametrize(
    ("day", "written"),
    [(PartialDate(2024), "2024"), (PartialDate(2024, 2), "202402"), (PartialDate(2024, 2, 3), "20240203")],
)
def test_spec_a_date_is_as_precise_as_it_is_known(day: PartialDate, written: str, tmp_path: Path) -> None:
    found = elements(write(full_cut(onset=day)), tmp_path)
    assert found["E.i.4"] == (written,)


def test_spec_the_narrative_tells_what_was_recorded(tmp_path: Path) -> None:
    (text,) = elements(write(full_cut()), tmp_path)["H.1"]
    assert "Study product: Cells or Vehicle (blinded), from 2024-01-21 to 2024-01-21" in text
    assert "- Term: Fever, with a rash & < 3 °C" in text
    assert "- Causality: Possible" in text
    assert "Assessment by the sponsor: not related, expected." in text


EXPEDITED = [
    # causality, expected, the sponsor's (related, expected), expedited
    ("possible", False, None, "true"),
    ("possible", True, None, "false"),
    ("none", False, None, "false"),
    ("none", False, (True, False), "true"),
    ("possible", False, (False, False), "true"),
    ("possible", False, (True, True), "false"),
    (None, None, None, "true"),
]


@pytest.mark.parametrize(("causality", "expected", "sponsor", "expedited"), EXPEDITED)
def test_spec_a_suspected_unexpected_reaction_is_expedited(
    causality: str | None,
    expected: bool | None,
    sponsor: tuple[bool, bool] | None,
    expedited: str,
    tmp_path: Path,
) -> None:
    """ICH E2A III: related in the view of either, unexpected by the reference; open counts as both."""
    own = None
    if sponsor is not None:
        own = replace(ASSESSMENT, sponsor_related=sponsor[0], sponsor_expected=sponsor[1])
    cut = full_cut(causality=causality, expected=expected)
    content = write_icsr(cut, "SE01-002", 1, sender=SENDER, receiver=RECEIVER, assessment=own)
    assert elements(content, tmp_path)["C.1.7"] == (expedited,)


# -- blinded and unblinded


def test_spec_the_unblinded_version_names_what_was_given_until_the_event(tmp_path: Path) -> None:
    cut = full_cut()
    arm = cut.definition.arm(cut.participants[0].arm or "")
    assert arm is not None
    names = {each.id: each.name for each in cut.definition.study.interventions}
    given = names[arm.cells["first"][0]]
    found = elements(write(cut, unblinded=True), tmp_path)
    assert found["G.k.2.2"] == (given, "Aspirin")
    assert "G.k.2.5" not in found
    assert found["G.k.4.r.5"] == ("20240121", "202403")
    later = elements(write(full_cut(onset=PartialDate(2024, 5, 1)), unblinded=True), tmp_path)
    assert set(later["G.k.2.2"]) == {"Cells", "Vehicle"}


def test_spec_an_unblinded_report_needs_data_with_the_allocation() -> None:
    with pytest.raises(NotWritten, match="E2B-MASKED"):
        write(mask_cut(full_cut()), unblinded=True)


def test_spec_before_the_first_treatment_the_drug_was_not_administered(tmp_path: Path) -> None:
    """ICH E2B(R3) IG, G.k.1: code 4, after consent and before the drug."""
    cut = full_cut(onset=PartialDate(2024, 1, 13), resolved=None)
    found = elements(write(cut), tmp_path)
    assert found["G.k.1"][0] == "4"
    assert found["G.k.2.2"][0] == BLINDED
    assert "G.k.9.i.2.r.3" not in found


def test_spec_what_is_given_openly_is_named_openly(tmp_path: Path) -> None:
    cut = rehearsed("single")
    found = elements(report(mask_cut(cut), *next(serious_events(cut))), tmp_path)
    assert found["G.k.2.2"] == ("High dose",)
    assert "G.k.2.5" not in found


def test_spec_a_blinded_report_holds_no_answer_that_unmasks(tmp_path: Path) -> None:
    assert b"Marker" not in write(full_cut())
    assert b"Marker: 7" in write(full_cut(), unblinded=True)


@pytest.mark.parametrize("kind", ["crossover", "parallel"])
def test_law_the_blinded_version_is_the_same_from_masked_and_swapped_data(kind: str) -> None:
    cut = rehearsed(kind)
    events = list(serious_events(cut))
    assert events
    for place in events:
        blinded = report(cut, *place)
        assert blinded == report(mask_cut(cut), *place)
        assert blinded == report(swap_arms(cut), *place)
    assert any(
        report(cut, *place, unblinded=True) != report(swap_arms(cut), *place, unblinded=True)
        for place in events
    )


def test_law_no_masked_role_can_tell_an_arm_from_a_report() -> None:
    """The arm-swap test: every report that any masked account can have made, in both worlds."""
    plain, swapped = make_worlds("betraying")
    reports = [list(_reports(world)) for world in (plain, swapped)]
    assert any(each.startswith(b"<?xml") for each in reports[0])
    assert reports[0] == reports[1]


def _reports(world: World) -> list[bytes]:
    made = []
    for actor in world.masked:
        cut = _cut(world.at(world.points[-1]), actor)
        for person in cut.participants if cut else ():
            for row in person.rows:
                if cut is not None and row.form == "adverse_event" and row.row is not None:
                    made.append(_attempt(cut, person.participant, row.row))
    return made


def _cut(trial: Trial, actor: object) -> DataCut | None:
    try:
        return trial.as_seen_by(actor).cut()  # type: ignore[arg-type]  # an account of the world
    except Refused:
        return None


def _attempt(cut: DataCut, participant: str, row: int) -> bytes:
    try:
        return report(cut, participant, row)
    except NotWritten as error:
        return str(error).encode()


# -- what is refused


@pytest.mark.parametrize(
    ("change", "row", "code"),
    [
        (lambda cut: cut, 2, "E2B-EVENT"),
        (lambda cut: replace(cut, participants=()), 1, "E2B-EVENT"),
        (lambda cut: replace(cut, definition=replace(cut.definition, safety=None)), 1, "E2B-SAFETY"),
    ],
)
def test_spec_there_must_be_such_an_event(change: Callable[[DataCut], DataCut], row: int, code: str) -> None:
    with pytest.raises(NotWritten, match=code):
        write(change(full_cut()), row=row)


def test_spec_only_serious_events_are_reported() -> None:
    names = ("fatal", "life_threatening", "hospitalisation", "disability", "anomaly", "important")
    cut = full_cut(**dict.fromkeys(names, False), outcome="recovered")
    with pytest.raises(NotWritten, match="E2B-NOT-SERIOUS"):
        write(cut)


def test_spec_a_number_that_no_report_can_hold_is_refused_and_not_cut() -> None:
    """Cut, the numbers of two rows of a log would be the same."""
    long = replace(SENDER, identifier="U" * 60)
    cut = full_cut()
    study = replace(cut.definition.study, id="kite" * 8)
    longer = replace(cut, definition=replace(cut.definition, study=study))
    write_icsr(cut, "SE01-002", 1, sender=long, receiver=RECEIVER)
    with pytest.raises(NotWritten, match="E2B-NUMBER"):
        write_icsr(longer, "SE01-002", 1, sender=long, receiver=RECEIVER)


def _damaged(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


REPORT = b"<PORR_IN049016UV/>"
BATCH = b'<MCCI_IN200100UV01 xmlns="urn:hl7-org:v3">%s</MCCI_IN200100UV01>'


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "FILE-EMPTY"),
        (b"not XML", "XML-INVALID"),
        (BATCH % REPORT[:-3], "XML-INVALID"),
        (b"<ClinicalDocument/>", "E2B-ROOT"),
        (b"<MCCI_IN200100UV01/>", "E2B-ROOT"),
        (BATCH % b"", "E2B-BATCH"),
        (BATCH % (REPORT * 2), "E2B-BATCH"),
        (b'<!DOCTYPE x [<!ENTITY a "aaaa">]>' + BATCH % REPORT, "XML-DOCTYPE"),
        (BATCH % (b"<a>" * 120 + b"</a>" * 120), "XML-TOO-DEEP"),
    ],
)
def test_bad_input_is_named(content: bytes, code: str, tmp_path: Path) -> None:
    with pytest.raises(FileUnreadable) as caught:
        read_icsr(_damaged(tmp_path / "x.xml", content))
    assert caught.value.code == code
    with pytest.raises(FileUnreadable, match="FILE-MISSING"):
        read_icsr(tmp_path / "none.xml")


def test_a_report_of_nothing_lacks_every_required_element(tmp_path: Path) -> None:
    values = read_icsr(_damaged(tmp_path / "x.xml", BATCH % REPORT))
    assert values == {}
    required = [each.number for each in ELEMENTS if each.required]
    assert missing_elements(values) == (*required, "E.i.3.2")


# -- against the published mapping


C = f"{ICH}.1.19"
ROLE = (
    "/h:MCCI_IN200100UV01/h:PORR_IN049016UV/h:controlActProcess[@classCode='CACT'][@moodCode='EVN']"
    "/h:subject[@typeCode='SUBJ']/h:investigationEvent[@classCode='INVSTG'][@moodCode='EVN']"
    "/h:component[@typeCode='COMP']/h:adverseEventAssessment[@classCode='INVSTG'][@moodCode='EVN']"
    "/h:subject1[@typeCode='SBJ']/h:primaryRole[@classCode='INVSBJ']"
)
EVENT = ROLE.partition("/h:component")[0]
DRUG = (
    f"{ROLE}/h:subjectOf2[@typeCode='SBJ']/h:organizer[@classCode='CATEGORY'][@moodCode='EVN']"
    f"[h:code[@code='4'][@codeSystem='{ICH}.1.20']]/h:component[@typeCode='COMP']"
    "/h:substanceAdministration[@classCode='SBADM'][@moodCode='EVN'][h:id]"
)
REACTION = (
    f"{ROLE}/h:subjectOf2[@typeCode='SBJ']/h:observation[@classCode='OBS'][@moodCode='EVN'][h:id]"
    f"[h:code[@code='29'][@codeSystem='{C}']]"
)
PUBLISHED = {
    "C.1.3": f"{EVENT}/h:subjectOf2[@typeCode='SUBJ'][h:investigationCharacteristic/h:code[@code='1']"
    f"[@codeSystem='{ICH}.1.23']]/h:investigationCharacteristic[@classCode='OBS'][@moodCode='EVN']"
    f"/h:value[@x:type='CE'][@codeSystem='{ICH}.1.2']/@code",
    "C.1.7": f"{EVENT}/h:component[@typeCode='COMP'][h:observationEvent/h:code[@code='23']"
    f"[@codeSystem='{C}']]/h:observationEvent[@classCode='OBS'][@moodCode='EVN']"
    "/h:value[@x:type='BL']/@value",
    "C.1.8.2": f"{EVENT}/h:outboundRelationship[@typeCode='SPRT'][h:relatedInvestigation/h:code[@code='1']"
    f"[@codeSystem='{ICH}.1.22']]/h:relatedInvestigation[@classCode='INVSTG'][@moodCode='EVN']"
    "/h:subjectOf2[@typeCode='SUBJ']/h:controlActEvent[@classCode='CACT'][@moodCode='EVN']"
    f"/h:author[@typeCode='AUT']/h:assignedEntity[@classCode='ASSIGNED']/h:code[@codeSystem='{ICH}.1.3']/@code",
    "C.5.2": f"{ROLE}/h:subjectOf1[@typeCode='SBJ']/h:researchStudy[@classCode='CLNTRL'][@moodCode='EVN']"
    "/h:title/text()",
    "D.1.1.4": f"{ROLE}/h:player1[@classCode='PSN'][@determinerCode='INSTANCE']"
    f"/h:asIdentifiedEntity[@classCode='IDENT'][h:code[@code='4'][@codeSystem='{ICH}.1.4']]"
    f"/h:id[@root='{ICH}.3.10']/@extension",
    "E.i.2.1b": f"{REACTION}/h:value[@x:type='CE'][@codeSystem='2.16.840.1.113883.6.163']/@code",
    "E.i.3.2d": f"{REACTION}/h:outboundRelationship2[@typeCode='PERT'][h:observation/h:code[@code='35']"
    f"[@codeSystem='{C}']]/h:observation[@classCode='OBS'][@moodCode='EVN']/h:value[@x:type='BL']/@value",
    "E.i.4": f"{REACTION}/h:effectiveTime[@x:type='IVL_TS']/h:low/@value",
    "E.i.7": f"{REACTION}/h:outboundRelationship2[@typeCode='PERT'][h:observation/h:code[@code='27']]"
    f"/h:observation[@classCode='OBS'][@moodCode='EVN']/h:value[@x:type='CE'][@codeSystem='{ICH}.1.11']/@code",
    "G.k.2.2": f"{DRUG}/h:consumable[@typeCode='CSM']/h:instanceOfKind[@classCode='INST']"
    "/h:kindOfProduct[@classCode='MMAT'][@determinerCode='KIND']/h:name/text()",
    "G.k.2.5": f"{DRUG}/h:outboundRelationship2[@typeCode='PERT'][h:observation/h:code[@code='6']"
    f"[@codeSystem='{C}']]/h:observation[@classCode='OBS'][@moodCode='EVN']/h:value[@x:type='BL']/@value",
    "G.k.7.r.1": f"{DRUG}/h:inboundRelationship[@typeCode='RSON'][h:observation/h:code[@code='19']]"
    "/h:observation[@classCode='OBS'][@moodCode='EVN'][h:performer[@typeCode='PRF']"
    f"/h:assignedEntity[@classCode='ASSIGNED']/h:code[@code='3'][@codeSystem='{ICH}.1.21']]"
    "/h:value[@x:type='CE'][@codeSystem='2.16.840.1.113883.6.163']/h:originalText/text()",
    "G.k.8": f"{DRUG}/h:inboundRelationship[@typeCode='CAUS']/h:act[@classCode='ACT'][@moodCode='EVN']"
    f"/h:code[@codeSystem='{ICH}.1.15']/@code",
}


@pytest.mark.parametrize("number", PUBLISHED)
def test_published_places_hold_what_is_read(number: str, tmp_path: Path) -> None:
    """The paths of the mapping of the ICH E2B(R3) Implementation Guide, with every fixed attribute."""
    content = write(full_cut())
    root = etree.fromstring(content)
    found = root.xpath(PUBLISHED[number], namespaces={"h": NAMESPACE, "x": XSI})
    assert isinstance(found, list)
    assert tuple(str(each) for each in found) == elements(content, tmp_path)[number]


def test_published_references_of_causality_go_to_reaction_and_drug() -> None:
    root = etree.fromstring(write(full_cut()))
    names = {"h": NAMESPACE}
    reactions = set(root.xpath("//h:observation[h:code/@code='29']/h:id/@root", namespaces=names))
    drugs = set(root.xpath("//h:substanceAdministration/h:id/@root", namespaces=names))
    assert set(root.xpath("//h:adverseEffectReference/h:id/@root", namespaces=names)) == reactions
    assert set(root.xpath("//h:productUseReference/h:id/@root", namespaces=names)) == drugs


# -- laws


@settings(max_examples=40)
@given(st.text(st.characters(exclude_categories=("Cc", "Cn", "Cs")), min_size=1, max_size=250))
def test_law_any_term_comes_back_as_it_was_reported(term: str) -> None:
    root = etree.fromstring(write(full_cut(term=term)))
    path = "//h:observation[h:code/@code='29']/h:value/h:originalText"
    (found,) = root.xpath(path, namespaces={"h": NAMESPACE})
    assert found.text == term


def test_spec_what_XML_cannot_hold_becomes_a_space_and_a_long_term_is_cut(tmp_path: Path) -> None:
    found = elements(write(full_cut(term="a\x00b" + "c" * 300)), tmp_path)
    assert found["E.i.1.1a"] == ("a b" + "c" * 247,)


def test_spec_of_partial_dates_the_age_is_the_fewest_years_that_they_allow() -> None:
    onset = PartialDate(2024, 6, 1)
    assert age_at(PartialDate(1980, 6, 1), onset) == 44
    assert age_at(PartialDate(1980), onset) == 43
    assert age_at(PartialDate(2024), onset) is None
    assert age_at(None, onset) is None


def test_spec_what_the_answers_leave_open_is_neither_met_nor_not() -> None:
    definition = full_definition()
    assert definition.safety is not None
    cut = full_cut(causality=None, aware=date(2024, 2, 4))
    row = next(row for row in cut.participants[0].rows if row.form == "adverse_event")
    event = Answers(definition).event(definition.safety, row)
    assert (event.serious, event.related) == (Truth.MET, Truth.UNKNOWN)


def test_spec_a_sender_needs_no_more_than_a_name(tmp_path: Path) -> None:
    sender = Sender(identifier="X", organisation="Y")
    content = write_icsr(full_cut(), "SE01-002", 1, sender=sender, receiver=RECEIVER)
    found = elements(content, tmp_path)
    assert found["C.3.1"] == ("6",)
    assert [each for each in found if each.startswith("C.3.")] == ["C.3.1", "C.3.2"]
    assert missing_elements(found) == ()


def test_spec_the_documentation_lists_the_elements_that_are_written() -> None:
    page = Path(__file__).parents[2] / "docs" / "e2b.md"
    lines = [
        line.split("|") for line in page.read_text(encoding="utf-8").splitlines() if line.count("|") == 5
    ]
    rows = [[cell.strip() for cell in line[1:4]] for line in lines[2:]]
    assert rows == [[each.number, each.title, "yes" if each.required else ""] for each in ELEMENTS]
