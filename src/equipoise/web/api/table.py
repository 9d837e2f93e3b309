"""Every operation of the JSON interface: its address, its method, and who may use it. There are no others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from equipoise.access.content import Audience
from equipoise.web.commands.catalogue import CATALOGUE, COMMANDS, SLUGS
from equipoise.web.visible import Anyone, AnyRole, Gives, Kinds, Sees, Visible

PREFIX = "api/v1/"
OPENAPI_PATH = "openapi.json"

_TRIAL, _CONDUCT, _READING = Sees(Audience.TRIAL), Sees(Audience.CONDUCT), Sees(Audience.READING)
_PRODUCT, _UNMASKED = Sees(Audience.PRODUCT), Sees(Audience.UNMASKED)
_CODES = Gives(("CodeTerm",))
_READERS, _ANY = Kinds(("reader", "adjudicator")), AnyRole()


@dataclass(frozen=True, slots=True)
class Read:
    """A read: the method of a view that answers it, at an address that names its required arguments."""

    method: str
    path: str
    visible: Visible


@dataclass(frozen=True, slots=True)
class ApiRoute:
    """An operation as the crawl of all addresses takes it; `path` has its arguments in braces."""

    path: str
    method: Literal["GET", "POST"]
    name: str
    visible: Visible


READS: tuple[Read, ...] = (
    # the trial as a whole
    Read("trial", "trial", _ANY),
    Read("head", "head", _TRIAL),
    Read("milestones", "milestones", _TRIAL),
    Read("permitted_commands", "permitted-commands", _ANY),
    Read("sites", "sites", _TRIAL),
    Read("all_sites", "sites/all", _TRIAL),
    Read("recruitment", "recruitment", _TRIAL),
    Read("versions", "versions", _TRIAL),
    Read("changes", "versions/changes", _TRIAL),
    Read("releases", "versions/releases", _TRIAL),
    Read("grants", "grants", _TRIAL),
    Read("readiness", "readiness", _CONDUCT),
    Read("audit", "audit", _ANY),
    # participants
    Read("participants", "participants", _CONDUCT),
    Read("participant", "participants/{participant}", _CONDUCT),
    Read("freezes", "freezes", _CONDUCT),
    Read("reconsents", "reconsents", _CONDUCT),
    Read("eligibility", "participants/{participant}/assessments", _CONDUCT),
    Read("explain_eligibility", "participants/{participant}/eligibility", _CONDUCT),
    Read("timeline", "participants/{participant}/timeline", _CONDUCT),
    Read("due", "due", _CONDUCT),
    Read("missing_forms", "missing-forms", _CONDUCT),
    Read("out_of_window", "out-of-window", _CONDUCT),
    Read("reviews", "reviews", _TRIAL),
    # what was filled in
    Read("records", "participants/{participant}/records", _CONDUCT),
    Read("record", "participants/{participant}/records/{form}", _CONDUCT),
    Read("item_history", "participants/{participant}/records/{form}/items/{item}", _CONDUCT),
    Read("verification", "verification", _CONDUCT),
    Read("corrections", "corrections", _CONDUCT),
    Read("log_reviews", "participants/{participant}/log-reviews", _CONDUCT),
    Read("queries", "queries", _CONDUCT),
    Read("signatures", "participants/{participant}/signatures", _CONDUCT),
    Read("signature_lines", "participants/{participant}/signature-lines", _CONDUCT),
    Read("casebook_hash", "participants/{participant}/casebook-hash", _CONDUCT),
    # coding
    Read("dictionaries", "dictionaries", _TRIAL),
    Read("coding", "coding", _CONDUCT),
    Read("coding_proposals", "dictionaries/{dictionary}/proposals", _CODES),
    Read("outdated_codings", "dictionaries/{dictionary}/outdated", _CODES),
    Read("dictionary_terms", "dictionaries/{dictionary}/terms", _CODES),
    # safety
    Read("adverse_events", "adverse-events", _CONDUCT),
    Read("clocks", "clocks", _CONDUCT),
    Read("clock_states", "clocks/states", _CONDUCT),
    Read("overdue_clocks", "clocks/overdue", _CONDUCT),
    Read("unblindings", "unblindings", _CONDUCT),
    # scans
    Read("scans", "scans", _READING),
    Read("scan_log", "scans/log", _CONDUCT),
    Read("missing_scans", "scans/missing", _CONDUCT),
    Read("readings", "readings", _READING),
    Read("reading_agreement", "readings/agreement", _READING),
    Read("my_readings", "readings/mine", _READERS),
    Read("reading_tasks", "reading-tasks", _READERS),
    Read("dispute", "reading-tasks/{task}/dispute", Kinds(("adjudicator",))),
    # for unmasked eyes
    Read("arms", "arms", _UNMASKED),
    Read("arm", "arms/{participant}", _UNMASKED),
    Read("products", "participants/{participant}/products", _PRODUCT),
    Read("lots", "lots", _PRODUCT),
    Read("explain_release", "lots/{lot}/release", _PRODUCT),
    Read("units", "units", _PRODUCT),
    Read("unit_labels", "units/labels", _PRODUCT),
    Read("chain_of_identity", "units/{unit}/identity", _PRODUCT),
    Read("preparations", "preparations", _PRODUCT),
)
"""What may be read, method by method of the two views."""

NOT_READ: Mapping[str, str] = {
    "scan_file": "The file itself leaves from the reader's page, which verifies it and notes who took it.",
    "received_file": "The file itself leaves from the page of scans, which verifies it and notes the taker.",
    "check_answers": "It is for a page on which somebody types; a command answers with the same problems.",
    "texts": "They are for the page on which a passage is blotted out; the audit trail has them anyway.",
    "cut": "The whole of the data leaves as files, from the page of copies, which notes who took it.",
    "definitions": "The latest leaves as the definition; the versions before it leave with the data, as ODM.",
    "participant_cut": "It leaves as a safety report, from the page of its event, which notes who took it.",
}
"""The methods of the views that are no operation, and why."""

BROWSER_ONLY = frozenset({"RegisterIdentity", "EraseIdentity"})
"""The commands about names and contacts: those never pass through a program."""

SIGNED = frozenset(name for name in COMMANDS if CATALOGUE[name].signed)
"""The commands that are signatures: a token proves no person (21 CFR 11.200)."""


def command_path(name: str) -> str:
    """Return the address of a command."""
    return f"commands/{SLUGS[name]}"


API_ROUTES: tuple[ApiRoute, ...] = (
    ApiRoute(PREFIX + OPENAPI_PATH, "GET", "openapi", Anyone()),
    ApiRoute(PREFIX + "definition", "GET", "definition", _ANY),
    *(ApiRoute(PREFIX + read.path, "GET", read.method, read.visible) for read in READS),
    *(ApiRoute(PREFIX + command_path(name), "POST", f"give_{name}", Gives((name,))) for name in COMMANDS),
)
"""Every operation, as `web.routes.ROUTES` has every page."""
