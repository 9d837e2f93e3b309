"""Every page of the clinic: its address, what draws it, and who may come. There are no others.

Each module of pages ends with its own part of this table.
"""

from __future__ import annotations

from equipoise.web.accounts import pages as accounts
from equipoise.web.accounts import tokens
from equipoise.web.commands.give import command_routes
from equipoise.web.pages import (
    amending,
    audit,
    board,
    casebook,
    coding,
    copies,
    data,
    event_reports,
    exports,
    governance,
    home,
    imaging,
    jobs,
    monitoring,
    participants,
    queries,
    reviews,
    safety,
    screening,
    sites,
    standards,
    statistics,
    study,
    supply,
    unblinding,
)
from equipoise.web.protect import Route

ROUTES: tuple[Route, ...] = (
    *home.ROUTES,
    *participants.ROUTES,
    *screening.ROUTES,
    *casebook.ROUTES,
    *queries.ROUTES,
    *coding.ROUTES,
    *imaging.ROUTES,
    *supply.ROUTES,
    *unblinding.ROUTES,
    *safety.ROUTES,
    *event_reports.ROUTES,
    *data.ROUTES,
    *monitoring.ROUTES,
    *board.ROUTES,
    *statistics.ROUTES,
    *sites.ROUTES,
    *study.ROUTES,
    *standards.ROUTES,
    *audit.ROUTES,
    *reviews.ROUTES,
    *exports.ROUTES,
    *copies.ROUTES,
    *jobs.ROUTES,
    *governance.ROUTES,
    *amending.ROUTES,
    *accounts.ROUTES,
    *tokens.ROUTES,
    *command_routes(),
)
