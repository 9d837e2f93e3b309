"""Makes the trial under way, the accounts and the sessions of the benchmark, and prints who may save what."""

from __future__ import annotations

import sys
from pathlib import Path


def main() -> None:
    """Print session, role and participant of every nurse, a line each.

    The arguments are the folder, how many participants are wanted, at how many sites, and at how many
    randomised the trial is served.
    """
    from equipoise.web.serve import ServePlan, set_up

    folder = Path(sys.argv[1])
    participants, sites, randomised = map(int, sys.argv[2:])
    folder.mkdir()
    set_up(ServePlan(folder=folder, host="127.0.0.1", port=1, workers=1))
    from allauth.usersessions.models import UserSession
    from django.test import Client

    from equipoise.allocation.state import AllocationRow
    from equipoise.cli.folders import new_trial
    from equipoise.definition.load import load_study
    from equipoise.enrolment.state import ParticipantRow
    from equipoise.rehearsal.rehearse import rehearse
    from equipoise.studies import study_folder, study_names
    from equipoise.web.accounts.cast import make_cast
    from equipoise.web.accounts.models import Account
    from equipoise.web.clinic import opened_clinic, prepare_clinic

    definition = load_study(study_folder(study_names()[0])).definition
    with new_trial(folder, identities=True) as made:
        result = rehearse(
            definition,
            seed=1,
            scenario="published",
            participants=participants,
            sites=sites,
            vault=made.vault,
            until=lambda trial: sum(1 for _ in trial.tables.all(AllocationRow)) >= randomised,
        )
        made.keep(result.trial)
    prepare_clinic(folder)
    with opened_clinic(folder) as clinic:
        make_cast(clinic, "equipoise-rehearsal")
        for row in clinic.trial.tables.all(AllocationRow):
            if clinic.trial.tables.require(ParticipantRow, row.participant).status != "screening":
                continue
            site = row.participant.split("-")[0]
            nurse = next(
                actor
                for grant in Account.objects.filter(username__endswith=site.lower())
                for actor in clinic.roles_of(grant.username)
                if actor.role == "nurse"
            )
            browser = Client()
            browser.force_login(
                Account.objects.get(username=nurse.account),
                backend="equipoise.web.accounts.sessions.AccountBackend",
            )
            session = browser.session
            session["acting_as"] = [nurse.role, nurse.site]
            session.save()
            # As logging in leaves it.
            UserSession.objects.create(
                user=Account.objects.get(username=nurse.account),
                session_key=session.session_key,
                ip="127.0.0.1",
            )
            sys.stdout.write(
                f"{session.session_key}\t{nurse.role}@{nurse.site}\t{row.participant}\t{definition.hash}\n"
            )
