"""Who sees what: default deny, and no masked role among those who see the allocation."""

import typing
from dataclasses import dataclass, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.access.actor import SYSTEM, Actor
from equipoise.access.content import FIELD_NAMES, KINDS, Audience, Content, entry_kind
from equipoise.access.refusal import Refusal, Refused
from equipoise.access.visibility import AUDIENCES, UNMASKING, viewer_of
from equipoise.conduct.rooms import APPLY
from equipoise.definition.model.definition import StudyDefinition
from equipoise.definition.model.study import Role
from equipoise.ledger import Draft, Head, Stamp, seal
from equipoise.ledger.blots import NONCE
from tests.small_trial import IMAGING, STUDY, make_definition

KINDS_OF_ROLE = typing.get_args(typing.get_type_hints(Role)["kind"])
SCOPES = typing.get_args(typing.get_type_hints(Role)["scope"])
DEFINITION = make_definition()


def with_role(kind: str, *, masked: bool, scope: str, visible_to_sites: bool = False) -> StudyDefinition:
    role = Role(id="one", kind=typing.cast(typing.Any, kind), name="One", masked=masked, scope=scope)  # type: ignore[arg-type]
    imaging = replace(IMAGING, visible_to_sites=visible_to_sites)
    return replace(DEFINITION, study=replace(STUDY, roles=(role,)), imaging=imaging)


def test_every_entry_kind_has_an_audience_and_an_effect():
    assert KINDS.keys() == APPLY.keys()
    assert all(isinstance(kind.audience, Audience) for kind in KINDS.values())
    assert all(APPLY[kind] for kind in KINDS)


def test_every_kind_of_role_is_in_the_table_and_no_other():
    assert AUDIENCES.keys() == frozenset(KINDS_OF_ROLE)


@given(
    kind=st.sampled_from(KINDS_OF_ROLE),
    masked=st.booleans(),
    unblinded=st.booleans(),
    scope=st.sampled_from(SCOPES),
    visible=st.booleans(),
)
def test_law_a_masked_role_sees_nothing_that_unmasks_before_the_unblinding(
    kind, masked, unblinded, scope, visible
):
    definition = with_role(kind, masked=masked, scope=scope, visible_to_sites=visible)
    viewer = viewer_of(definition, Actor("one", "one", "SE01"), unblinded=unblinded)
    assert viewer.masked is masked
    if masked and not unblinded:
        assert not viewer.audiences & UNMASKING
    assert viewer.site == ("SE01" if scope == "site" else None)
    assert viewer.audiences <= AUDIENCES[kind] | UNMASKING | {Audience.READING}
    if Audience.CONDUCT not in AUDIENCES[kind]:
        assert viewer.audiences <= AUDIENCES[kind]


@given(kind=st.sampled_from(KINDS_OF_ROLE), masked=st.booleans(), visible=st.booleans())
def test_sites_see_central_readings_only_where_the_study_says_so(kind, masked, visible):
    definition = with_role(kind, masked=masked, scope="site", visible_to_sites=visible)
    viewer = viewer_of(definition, Actor("one", "one", "SE01"), unblinded=False)
    assert (Audience.READING in viewer.audiences) is (visible and Audience.CONDUCT in AUDIENCES[kind])


def test_without_imaging_a_site_sees_no_readings():
    definition = replace(with_role("nurse", masked=True, scope="site"), imaging=None)
    viewer = viewer_of(definition, Actor("one", "one", "SE01"), unblinded=False)
    assert Audience.READING not in viewer.audiences


def test_a_kind_of_role_that_is_not_in_the_table_sees_nothing():
    viewer = viewer_of(with_role("janitor", masked=True, scope="trial"), Actor("one", "one"), unblinded=True)
    assert viewer.audiences == frozenset()


def test_a_viewer_sees_the_participants_of_their_own_site():
    site = viewer_of(DEFINITION, Actor("nils", "nurse", "SE01"), unblinded=False)
    assert site.sees_participant("SE01-001")
    assert not site.sees_participant("SE010-001")
    assert not site.sees_participant("CA01-001")
    assert viewer_of(DEFINITION, Actor("dana", "data_manager"), unblinded=False).sees_participant("CA01-001")


@pytest.mark.parametrize(
    ("actor", "code"),
    [(Actor("eve", "burglar"), "ACC-ROLE"), (SYSTEM, "ACC-ROLE"), (Actor("nils", "nurse"), "ACC-SITE")],
)
def test_nobody_sees_anything_without_a_role_and_its_site(actor, code):
    with pytest.raises(Refused) as refused:
        viewer_of(DEFINITION, actor, unblinded=True)
    assert refused.value.refusal.code == code
    assert str(refused.value) == str(refused.value.refusal)


def test_a_refusal_says_what_and_what_next():
    assert str(Refusal("A-B", "It is shut.", "Open it.")) == "A-B: It is shut. Open it."


def test_an_entry_kind_without_an_audience_cannot_be_registered():
    with pytest.raises(TypeError):
        entry_kind()  # type: ignore[call-arg]


def register(name: str, **names: type) -> type[Content]:
    written: type[Content] = type(name, (Content,), {"__annotations__": names})
    return entry_kind(audience=Audience.TRIAL)(dataclass(frozen=True, kw_only=True)(written))


def test_an_entry_kind_is_registered_once_and_leaves_the_nonce_to_the_ledger():
    for name, names in (("ParticipantRandomised", {}), ("KindWithNonce", {NONCE: str})):
        before = dict(KINDS), dict(FIELD_NAMES)
        with pytest.raises(ValueError, match=name):
            register(name, **names)
        assert before == (KINDS, FIELD_NAMES)


def test_only_fields_of_a_kind_are_its_texts_and_answers_and_are_handed_on():
    before = dict(KINDS), dict(FIELD_NAMES)
    for texts, answers in ((("cause",), ()), ((), ("cause",))):
        with pytest.raises(ValueError, match="KindWithoutText"):
            declare = entry_kind(audience=Audience.TRIAL, texts=texts, answers=answers)
            declare(type("KindWithoutText", (Content,), {}))
    assert before == (KINDS, FIELD_NAMES)
    assert KINDS["UnmaskingFormRecorded"].answers == KINDS["FormRecorded"].answers == ("item_values",)


def test_what_an_entry_says_is_read_back():
    class_of = KINDS["LotFailureExplained"]
    said = class_of(lot="L-1", participant="SE01-001", cause="Broken")  # type: ignore[call-arg]
    draft = said.draft("2024-06-01")
    stamp = Stamp("d" * 64, "cleo", "laboratory", "SE01", "2024-06-01T00:00:00.000000Z", None)
    assert class_of.of(seal(Head.genesis(), draft, stamp)) == said
    nonce = Draft(draft.kind, draft.version, {**draft.content, NONCE: "00ff"}, None)
    assert class_of.of(seal(Head.genesis(), nonce, stamp)) == said


def test_a_field_that_joined_a_kind_later_is_left_out_where_it_says_nothing():
    def draft_of(**later: str) -> Draft:
        said = {"scan": "S1", "participant": "SE01-001", "encounter": "baseline", "acquired_on": "2024-06-01"}
        return KINDS["ScanReceived"](**said, **later).draft()

    assert "file_hash" not in draft_of().content
    assert draft_of(file_hash="ab" * 32).content == {**draft_of().content, "file_hash": "ab" * 32}
