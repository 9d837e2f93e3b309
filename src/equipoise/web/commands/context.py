"""What the page of a command shows besides its fields: one function for each command that needs it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from equipoise.web.commands.blotting import context_of_blotting
from equipoise.web.commands.context_forms import CONTEXTS_OF_FORMS
from equipoise.web.commands.context_participants import CONTEXTS_OF_PARTICIPANTS, participant_of
from equipoise.web.commands.context_rooms import CONTEXTS_OF_ROOMS
from equipoise.web.pages.reviews import words_of_filter
from equipoise.web.request import ClinicRequest

Given = Mapping[str, str]
Context = Callable[[ClinicRequest, Given], Mapping[str, Any]]


def context_of(request: ClinicRequest, name: str, given: Given) -> Mapping[str, Any]:
    """Return what the template of a command has beside what all have; `given` are the answers so far."""
    found = CONTEXTS.get(name)
    return found(request, given) if found else {}


def _lock_database(request: ClinicRequest, given: Given) -> Mapping[str, Any]:
    matters = request.seen.readiness()
    return {"matters": [each for each in matters if each.blocks], "people": len(request.seen.participants())}


def _unblind_trial(request: ClinicRequest, given: Given) -> Mapping[str, Any]:
    return {
        "randomised": sum(line.randomised for line in request.seen.sites()),
        "state": request.seen.trial(),
    }


def _commit_allocation(request: ClinicRequest, given: Given) -> Mapping[str, Any]:
    steps = request.seen.milestones()
    done = next((each for each in steps if each.kind == "AllocationCommitted"), None)
    return {"committed": done, "consented": sum(line.consented for line in request.seen.sites())}


def _publish_head(request: ClinicRequest, given: Given) -> Mapping[str, Any]:
    return {"head": request.seen.head(), "definition": request.definition}


def _freeze_participant(request: ClinicRequest, given: Given) -> Mapping[str, Any]:
    code = given.get("participant", "")
    seen = request.seen
    return {
        "missing": [each for each in seen.missing_forms() if each.participant == code],
        "open_queries": [q for q in seen.queries() if q.participant == code and q.status != "closed"],
        "person": participant_of(request, given),
    }


def _unfreeze_participant(request: ClinicRequest, given: Given) -> Mapping[str, Any]:
    code = given.get("participant", "")
    return {"freeze": next((each for each in request.seen.freezes() if each.participant == code), None)}


def _roles(request: ClinicRequest, given: Given) -> Mapping[str, Any]:
    account = given.get("account", "")
    held = [each for each in request.seen.grants() if each.account == account and each.revoked_at is None]
    return {"held": held, "roles": request.definition.study.roles}


def _site(request: ClinicRequest, given: Given) -> Mapping[str, Any]:
    site = given.get("site", "")
    people = next((each for each in request.seen.sites() if each.site == site), None)
    return {
        "line": next((each for each in request.seen.all_sites() if each.site == site), None),
        "people": people,
    }


def _version(request: ClinicRequest, given: Given) -> Mapping[str, Any]:
    versions = request.seen.versions()
    held = next((each for each in versions if given.get("site") in each.sites), None)
    wanted = next((each for each in versions if each.study_version == given.get("study_version")), None)
    numbers = range(held.number + 1, wanted.number + 1) if held and wanted else ()
    return {
        **_site(request, given),
        "held": held,
        "changes": [change for number in numbers for change in request.seen.changes(number)],
        "reconsents": any(each.reconsent for each in versions if each.number in numbers),
    }


def _review(request: ClinicRequest, given: Given) -> dict[str, Any]:
    """The filter in words; whoever comes from a trail or a list reviewed just that."""
    return {"filter_words": words_of_filter(given.get("narrowed", "")), "fixed_scope": "reviewed" in given}


CONTEXTS: Mapping[str, Context] = {
    "LockDatabase": _lock_database,
    "UnblindTrial": _unblind_trial,
    "CommitAllocation": _commit_allocation,
    "PublishHead": _publish_head,
    "BlotText": context_of_blotting,
    "RecordReview": _review,
    "FreezeParticipant": _freeze_participant,
    "UnfreezeParticipant": _unfreeze_participant,
    "GrantRole": _roles,
    "RevokeRole": _roles,
    "ActivateSite": _site,
    "CloseSite": _site,
    "ActivateVersion": _version,
    **CONTEXTS_OF_FORMS,
    **CONTEXTS_OF_PARTICIPANTS,
    **CONTEXTS_OF_ROOMS,
}
"""By the command's name."""
