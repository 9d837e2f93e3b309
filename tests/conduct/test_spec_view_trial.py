"""What a view says of the trial as a whole: sites, roles, clocks, scans, products, the way to the lock."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from equipoise.access.actor import Actor
from equipoise.access.permissions import PERMITTED
from equipoise.access.refusal import Refusal, Refused
from equipoise.access.visibility import viewer_of
from equipoise.capture.commands import CloseQuery, OpenQuery, RecordForm, SignCasebook, StartEncounter
from equipoise.conduct.versions import Versions
from equipoise.conduct.view import MaskedView, UnmaskedView
from equipoise.conduct.view.lines import AgreementLine
from equipoise.enrolment.commands import CompleteParticipant
from equipoise.governance.commands import CloseSite, GrantRole, LockDatabase, RevokeRole
from equipoise.imaging.commands import AcceptScan, ReceiveScan, RecordAdjudication, RecordRead, RefuseScan
from equipoise.imaging.state import TaskRow
from equipoise.safety.commands import SubmitSafetyReport
from equipoise.supply.commands import (
    AdministerUnit,
    CollectSource,
    DiscardUnit,
    FailLot,
    PrepareUnit,
    RecordManufacture,
    ReleaseLot,
)
from tests.conduct.clinic import ADA, DANA, DAY, LENA, PETE, PRIYA, Clinic, randomise

CLEO = Actor("cleo", "laboratory", "SE01")
IVAN = Actor("ivan", "infuser", "SE01")
RITA, OMAR, ABEL = Actor("rita", "reader"), Actor("omar", "reader"), Actor("abel", "adjudicator")
SERIOUS = {
    "term": "Headache",
    "onset": "2024-06",
    "aware": "2024-06-03T06:00Z",
    "severity": "severe",
    "serious": True,
    "outcome": "ongoing",
}


def seen(clinic: Clinic, actor: Actor = PRIYA) -> MaskedView:
    return clinic.trial.as_seen_by(actor)


def unmasked(clinic: Clinic, actor: Actor) -> UnmaskedView:
    view = clinic.trial.as_seen_by(actor)
    assert isinstance(view, UnmaskedView)
    return view


def grant(clinic: Clinic, *actors: Actor) -> None:
    for actor in actors:
        clinic.do(ADA, GrantRole(account=actor.account, role=actor.role, site=actor.site))


def randomised(site: str = "SE01", clinic: Clinic | None = None) -> tuple[Clinic, str]:
    clinic = clinic or Clinic()
    code = clinic.consent(site)
    actor = {"SE01": PRIYA, "CA01": PETE}[site]
    clinic.do(actor, randomise(code))
    clinic.do(actor, StartEncounter(participant=code, encounter="screening", took_place_on=DAY))
    clinic.do(actor, StartEncounter(participant=code, encounter="week_0", took_place_on=DAY))
    return clinic, code


# -- sites and roles


@pytest.mark.requirement("G1", "G14")
def test_spec_the_delegation_log_keeps_every_grant_with_its_end() -> None:
    clinic = Clinic()
    grant(clinic, CLEO)
    clinic.do(ADA, RevokeRole(account="cleo", role="laboratory", site="SE01"))
    grant(clinic, CLEO)
    log = seen(clinic, DANA).grants()
    assert [(line.account, line.role, line.site) for line in log[:2]] == [
        ("ada", "administrator", None),
        ("dana", "data_manager", None),
    ]
    assert (log[0].granted_by, log[1].granted_by) == ("system", "ada")
    first, second = (line for line in log if line.account == "cleo")
    assert (first.revoked_by, second.revoked_at, second.revoked_by) == ("ada", None, None)
    assert first.revoked_at is not None
    assert first.granted_at < first.revoked_at < second.granted_at


def test_spec_who_belongs_to_a_site_sees_its_roles_and_those_of_the_trial() -> None:
    clinic = Clinic()
    assert {line.site for line in seen(clinic, PRIYA).grants()} == {None, "SE01"}
    assert {line.site for line in seen(clinic, DANA).grants()} == {None, "SE01", "CA01"}
    grant(clinic, RITA)
    for name in ("grants", "all_sites", "recruitment", "scan_log", "verification", "readiness", "freezes"):
        with pytest.raises(Refused):
            getattr(seen(clinic, RITA), name)()


def test_spec_every_site_of_the_study_is_listed_whether_or_not_it_is_active() -> None:
    clinic = Clinic()
    clinic.do(ADA, CloseSite(site="CA01"))
    lines = {line.site: line for line in seen(clinic, DANA).all_sites()}
    assert [(line.status, line.approved_on) for line in lines.values()] == [
        ("active", DAY.isoformat()),
        ("closed", DAY.isoformat()),
    ]
    assert lines["SE01"].closed_at is None
    assert str(lines["CA01"].activated_at) < str(lines["CA01"].closed_at)
    assert [line.site for line in seen(clinic, PRIYA).all_sites()] == ["SE01"]


def test_spec_a_site_that_was_not_activated_is_planned() -> None:
    clinic = Clinic()
    definition = clinic.definition
    site = replace(definition.study.sites[0], id="XX01")
    more = replace(definition, study=replace(definition.study, sites=(*definition.study.sites, site)))
    viewer = viewer_of(more, DANA, unblinded=False)
    view = MaskedView(
        Versions(more), clinic.trial.tables, clinic.ledger, clinic.trial.trail, viewer, clinic.trial.coder
    )
    planned = [line for line in view.all_sites() if line.status == "planned"]
    assert [(line.site, line.approved_on, line.activated_at) for line in planned] == [("XX01", None, None)]


def test_spec_recruitment_can_be_drawn_against_its_plan() -> None:
    clinic, _ = randomised()
    clinic.consent("CA01")
    found = seen(clinic, DANA).recruitment()
    day = DAY.isoformat()
    assert found.planned_enrolment == 20
    assert [(line.site, line.consented_on, line.randomised_on) for line in found.sites] == [
        ("CA01", (day,), ()),
        ("SE01", (day,), (day,)),
    ]
    assert found.first_activated_at == min(line.activated_at for line in found.sites)
    assert [line.site for line in seen(clinic, PETE).recruitment().sites] == ["CA01"]


def test_spec_a_viewer_is_told_the_commands_of_their_role() -> None:
    clinic = Clinic()
    for actor, kind in ((PRIYA, "investigator"), (DANA, "data_manager"), (ADA, "administrator")):
        names = seen(clinic, actor).permitted_commands()
        assert names == tuple(sorted(name for name, kinds in PERMITTED.items() if kind in kinds))
    assert "CorrectForm" in seen(clinic, PRIYA).permitted_commands()


# -- clocks


@pytest.mark.requirement("S1")
def test_spec_a_clock_runs_is_overdue_and_is_submitted_in_time_or_late() -> None:
    clinic, code = randomised()
    event = RecordForm(participant=code, form="adverse_event", values=SERIOUS)
    for _ in range(3):
        clinic.do(PRIYA, event)
    aware = datetime(2024, 6, 3, 6, tzinfo=UTC)

    def send(row: int) -> None:
        now = clinic.clock.now
        report = SubmitSafetyReport(participant=code, row=row, clock="serious", submitted_at=now)
        clinic.do(PRIYA, report)

    def states(now: datetime) -> dict[int, str]:
        lines = seen(clinic).clock_states(now)
        return {line.row: line.state for line in lines if line.clock == "serious"}

    send(1)
    clinic.clock.now += timedelta(days=2)
    send(2)
    assert states(aware + timedelta(hours=23)) == {1: "submitted", 2: "submitted_late", 3: "running"}
    late = aware + timedelta(hours=25)
    assert states(late) == {1: "submitted", 2: "submitted_late", 3: "overdue"}
    [overdue] = seen(clinic, DANA).overdue_clocks(late)
    assert (overdue.row, overdue.title, overdue.state) == (3, "To the sponsor", "overdue")
    assert overdue.due_at == "2024-06-04T06:00:00.000000Z"
    assert seen(clinic, PETE).overdue_clocks(late) == ()


# -- scans


def scanned(clinic: Clinic, code: str, encounter: str = "screening") -> str:
    receive = ReceiveScan(participant=code, encounter=encounter, acquired_on=DAY)
    return str(clinic.do(PRIYA, receive)[0].content["scan"])


def read(clinic: Clinic, scan: str, *readings: tuple[Actor, int]) -> None:
    for actor, spots in readings:
        task = next(row for row in clinic.trial.tables.where(TaskRow, scan=scan) if row.status == "open")
        kind = RecordAdjudication if task.slot == 0 else RecordRead
        clinic.do(actor, kind(task=task.task, values={"spots": spots, "volume": "1.0"}))


@pytest.mark.requirement("G10", "G12")
def test_spec_a_site_follows_its_scans_and_learns_nothing_of_their_reading() -> None:
    clinic, code = randomised()
    grant(clinic, RITA, OMAR, ABEL)
    refused = scanned(clinic, code)
    clinic.do(DANA, RefuseScan(scan=refused, cause="Motion"))
    scan = scanned(clinic, code)
    assert [(r.status, r.cause) for r in sorted(seen(clinic).scan_log(), key=lambda r: r.received_at)] == [
        ("refused", "Motion"),
        ("received", None),
    ]
    clinic.do(DANA, AcceptScan(scan=scan))
    accepted = seen(clinic).scan_log()
    assert {line.scan: line.status for line in accepted} == {refused: "refused", scan: "accepted"}
    followed = []
    for actor, spots in ((RITA, 1), (OMAR, 9), (ABEL, 5)):
        read(clinic, scan, (actor, spots))
        assert seen(clinic).scan_log() == accepted
        followed += [line.status for line in seen(clinic, DANA).scan_log() if line.scan == scan]
    assert followed == ["accepted", "disputed", "read"]
    assert {line.encounter for line in accepted} == {"screening"}
    assert seen(clinic, PETE).scan_log() == ()
    with pytest.raises(Refused):
        seen(clinic).scans()


def test_spec_the_agreement_of_readers_is_counted_for_each_item() -> None:
    clinic, code = randomised()
    grant(clinic, RITA, OMAR, ABEL)

    def counts() -> dict[str, tuple[int, int, int, int]]:
        lines = seen(clinic, DANA).reading_agreement()
        return {line.item: (line.agree, line.adjudicated, line.waiting, line.unread) for line in lines}

    scan = scanned(clinic, code)
    assert counts() == {"spots": (0, 0, 0, 0), "volume": (0, 0, 0, 0)}
    clinic.do(DANA, AcceptScan(scan=scan))
    read(clinic, scan, (RITA, 1))
    assert counts() == {"spots": (0, 0, 0, 1), "volume": (0, 0, 0, 1)}
    read(clinic, scan, (OMAR, 9))
    assert counts() == {"spots": (0, 0, 1, 0), "volume": (1, 0, 0, 0)}
    read(clinic, scan, (ABEL, 5))
    assert counts() == {"spots": (0, 1, 0, 0), "volume": (1, 0, 0, 0)}
    assert seen(clinic, DANA).reading_agreement()[0] == AgreementLine(
        item="spots", label="Spots", agree=0, adjudicated=1, waiting=0, unread=0
    )
    with pytest.raises(Refused):
        seen(clinic).reading_agreement()


@pytest.mark.requirement("G9", "G10")
def test_spec_the_cut_of_a_participant_holds_what_its_viewer_may_see_and_nobody_else() -> None:
    clinic, code = randomised()
    randomised("CA01", clinic)
    stat = Actor("una", "list_statistician")
    grant(clinic, RITA, OMAR, stat)
    scan = scanned(clinic, code)
    clinic.do(DANA, AcceptScan(scan=scan))
    read(clinic, scan, (RITA, 1), (OMAR, 1))
    imaging = clinic.definition.imaging
    assert imaging is not None

    def forms(actor: Actor) -> set[str]:
        (person,) = seen(clinic, actor).participant_cut(code).participants
        assert (person.participant, person.arm is None) == (code, actor != stat)
        return {row.form for row in person.rows}

    assert imaging.read_form in forms(DANA) & forms(stat)
    assert imaging.read_form not in forms(PRIYA)
    assert seen(clinic).participant_cut(code).counts == {}
    with pytest.raises(Refused, match="ACC-PARTICIPANT"):
        seen(clinic, PETE).participant_cut(code)
    with pytest.raises(Refused):
        seen(clinic, RITA).participant_cut(code)


def test_one_reader_agrees_with_nobody() -> None:
    clinic = Clinic()
    definition = clinic.definition
    assert definition.imaging is not None
    for imaging in (None, replace(definition.imaging, readers=1)):
        alone = replace(definition, imaging=imaging)
        viewer = viewer_of(alone, DANA, unblinded=False)
        view = MaskedView(
            Versions(alone),
            clinic.trial.tables,
            clinic.ledger,
            clinic.trial.trail,
            viewer,
            clinic.trial.coder,
        )
        assert view.reading_agreement() == ()


def test_spec_a_reader_finds_the_tasks_that_they_did_and_no_others() -> None:
    clinic, code = randomised()
    grant(clinic, RITA, OMAR, ABEL)
    scan = scanned(clinic, code)
    clinic.do(DANA, AcceptScan(scan=scan))
    assert seen(clinic, RITA).my_readings() == ()
    read(clinic, scan, (RITA, 1), (OMAR, 9), (ABEL, 5))
    done = {row.account: row.task for row in clinic.trial.tables.where(TaskRow, scan=scan)}
    for actor in (RITA, OMAR, ABEL):
        assert [line.task for line in seen(clinic, actor).my_readings()] == [done[actor.account]]
    with pytest.raises(Refused):
        seen(clinic).my_readings()


# -- the way to the lock


@pytest.mark.requirement("G11")
def test_spec_what_is_open_before_the_lock_is_what_the_lock_is_refused_for() -> None:
    clinic, code = randomised()
    clinic.do(PRIYA, RecordForm(participant=code, form="labs", encounter="week_0", values={"crp": "3"}))
    clinic.do(DANA, OpenQuery(participant=code, form="labs", encounter="week_0", text="Is it so?"))
    scan = scanned(clinic, code)
    refusal = clinic.trial.record(DANA, LockDatabase())
    assert isinstance(refusal, Refusal)
    matters = seen(clinic, DANA).readiness()
    assert refusal.details == tuple(matter.text for matter in matters)
    assert [(matter.kind, matter.subject) for matter in matters] == [
        ("query", "Q-000001"),
        ("scan", scan),
        ("participant", code),
        ("casebook", code),
    ]
    assert all(matter.blocks and matter.participant == code for matter in matters)
    assert seen(clinic, PETE).readiness() == ()
    assert [m.kind for m in seen(clinic).readiness()] == ["query", "scan", "participant", "casebook"]
    clinic.do(DANA, AcceptScan(scan=scan))
    assert [m.kind for m in seen(clinic).readiness()] == ["query", "participant", "casebook"]
    clinic.do(PRIYA, CompleteParticipant(participant=code, completed_on=DAY))
    clinic.do(PRIYA, SignCasebook(participant=code, meaning="I confirm these data."))
    assert [m.kind for m in seen(clinic, DANA).readiness()] == ["query", "scan"]


def test_spec_a_query_that_would_unmask_is_open_for_those_only_who_may_know_of_it() -> None:
    clinic, code = randomised()
    values = {"crp": "3", "marker": "500"}
    clinic.do(PRIYA, RecordForm(participant=code, form="labs", encounter="week_0", values=values))
    assert "query" not in {matter.kind for matter in seen(clinic, DANA).readiness()}
    hidden = [matter for matter in seen(clinic, LENA).readiness() if matter.kind == "query"]
    assert [(matter.subject, matter.blocks) for matter in hidden] == [("U-000001", False)]
    refusal = clinic.trial.record(DANA, CloseQuery(query="U-000001"))
    assert isinstance(refusal, Refusal)
    assert refusal.code == "CAP-UNKNOWN-QUERY"


# -- products


def product_made() -> tuple[Clinic, str, str]:
    """A participant with a failed lot, and a unit from the second one, given after another was discarded."""
    clinic, code = randomised()
    grant(clinic, CLEO, IVAN)
    collect = CollectSource(participant=code, product="bag", collected_on=DAY, values={"volume": 50})
    failed = str(clinic.do(PRIYA, collect)[0].content["lot"])
    clinic.do(CLEO, FailLot(lot=failed, failed_on=DAY, cause="Contaminated"))
    lot = str(clinic.do(PRIYA, collect)[0].content["lot"])
    made = {"yield_millions": 90, "sterile": True}
    clinic.do(CLEO, RecordManufacture(lot=lot, recorded_on=DAY, values=made))
    clinic.do(CLEO, ReleaseLot(lot=lot, released_on=DAY))
    prepare = PrepareUnit(participant=code, product="bag", encounter="week_0", prepared_on=DAY)
    broken = str(clinic.do(CLEO, prepare)[0].content["unit"])
    clinic.do(CLEO, DiscardUnit(unit=broken, cause="Dropped"))
    unit = str(clinic.do(CLEO, prepare)[0].content["unit"])
    clinic.do(IVAN, AdministerUnit(unit=unit, participant=code, given_on=DAY, values={"minutes": 30}))
    return clinic, code, unit


def test_spec_a_product_is_told_with_what_it_holds_its_lot_and_its_unit() -> None:
    clinic, code, unit = product_made()
    view = unmasked(clinic, CLEO)
    first, second = view.products(code)
    assert (first.encounter, first.unit, first.unit_status) == ("week_0", unit, "given")
    assert (second.encounter, second.unit, second.unit_status) == ("week_8", None, None)
    assert first.lot == second.lot
    assert (first.lot_status, first.given_on) == ("released", DAY.isoformat())
    assert {first.contents, second.contents} == {("cells",), ("vehicle",)}
    arm = view.arm(code)
    assert first.contents == (("cells",) if arm == "cells_first" else ("vehicle",))


def test_spec_before_randomisation_a_product_holds_nothing() -> None:
    clinic = Clinic()
    grant(clinic, CLEO)
    code = clinic.consent()
    lines = unmasked(clinic, CLEO).products(code)
    assert [(line.contents, line.lot, line.unit) for line in lines] == [((), None, None)] * 2
    for stranger in ("SE01-999", clinic.consent("CA01")):
        with pytest.raises(Refused, match="ACC-UNSEEN"):
            unmasked(clinic, CLEO).products(stranger)


def test_spec_a_label_says_for_whom_and_when_and_never_what() -> None:
    clinic, code, unit = product_made()
    labels = {line.unit: line for line in unmasked(clinic, CLEO).unit_labels()}
    assert {line.status for line in labels.values()} == {"given", "discarded"}
    label = labels[unit]
    assert (label.participant, label.encounter_name, label.prepared_on) == (code, "Week 0", DAY.isoformat())
    assert not any(word in repr(label).lower() for word in ("cells_first", "vehicle_first", "contents"))


@pytest.mark.requirement("P6")
def test_spec_the_chain_of_identity_leads_from_the_source_to_the_participant() -> None:
    clinic, code, unit = product_made()
    steps = unmasked(clinic, CLEO).chain_of_identity(unit)
    assert [(step.kind, step.account) for step in steps] == [
        ("SourceCollected", "priya"),
        ("ManufactureRecorded", "cleo"),
        ("LotReleased", "cleo"),
        ("UnitPrepared", "cleo"),
        ("UnitAdministered", "ivan"),
    ]
    assert [step.position for step in steps] == sorted(step.position for step in steps)
    assert {(step.participant, step.lot) for step in steps} == {(code, steps[0].lot)}
    assert [step.unit for step in steps] == [None, None, None, unit, unit]
    with pytest.raises(Refused, match="ACC-UNSEEN"):
        unmasked(clinic, CLEO).chain_of_identity("B-00000000")
