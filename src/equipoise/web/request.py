"""The request as a page of the clinic has it."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import date

from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest

from equipoise.access.actor import Actor
from equipoise.conduct.view import MaskedView, UnmaskedView
from equipoise.definition.model.definition import StudyDefinition
from equipoise.web.accounts.models import Account
from equipoise.web.clinic import Clinic


class ClinicRequest(HttpRequest):
    """A request whose sender is logged in and acts in a role.

    `seen` is the trial as that role may see it, `version` the definition that the role works under, of which
    `definition` has the texts in the reader's language, `today` the day at the role's site. Until
    `standstill` is closed no other thread of this process changes what is seen. Pages read through `seen`
    and record through `clinic.trial`.
    """

    clinic: Clinic
    standstill: ExitStack
    actor: Actor
    seen: MaskedView | UnmaskedView
    version: StudyDefinition
    definition: StudyDefinition
    today: date
    session: SessionBase
    user: Account
