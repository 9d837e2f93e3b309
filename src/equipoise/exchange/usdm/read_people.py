"""The sponsor, other organisations, sites, roles and masking of a USDM file, as study.yaml has them."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from itertools import count
from typing import Final, get_args

from equipoise.definition.countries import alpha_2
from equipoise.definition.model.study import MaskedParty, RoleKind
from equipoise.exchange.registry.countries import country_code, time_zone
from equipoise.exchange.usdm.draft import Draft, Tree, called, filled
from equipoise.exchange.usdm.terms import (
    KIND_ROLES,
    PARTY_ROLES,
    PRINCIPAL_INVESTIGATOR,
    SPONSOR,
    STUDY_SITE,
)
from equipoise.exchange.usdm.tree import Part
from equipoise.exchange.usdm.write_people import SEES

_SITE: Final = re.compile(r"[A-Z]{2}[0-9]{2,3}")
_COLLABORATORS: Final = frozenset({"sponsor", "collaborator", "funder", "other"})


def people_of(draft: Draft) -> Tree:
    """Return the keys of study.yaml that say who runs the study, who is masked, and where it is run."""
    roles = draft.version.parts("roles")
    sponsors = [role for role in roles if role.is_code("code", SPONSOR)]
    organisations = [one for role in sponsors for one in role.follow_all("organizationIds")]
    sub_trials, sites_of = _sub_trials(draft, roles)
    parties = [party for role in roles if (party := _masked_party(role))]
    notes = sponsors[0].noted("Responsible party") if sponsors else {}
    for organisation in organisations if draft.own else []:
        organisation.settle()
    for role in sponsors:
        role.done("name", "label")
        role.follow_all("appliesToIds")
    return {
        "identifiers": _identifiers(draft, organisations, sub_trials),
        "sponsor": {"name": called(organisations[0]), "kind": "sponsor"} if organisations else None,
        "collaborators": [found for role in roles if (found := _collaborator(role))],
        "responsible_party": notes.get("Responsible party"),
        "officials": [one for role in roles for one in _officials(role)],
        "masking": _masking(draft, parties, roles),
        "roles": [found for role in roles if (found := _role(draft, role))],
        "sub_trials": sub_trials,
        "sites": list(_sites(draft, sites_of)),
    }


def _identifiers(draft: Draft, sponsors: list[Part], sub_trials: list[Tree]) -> list[Tree]:
    """The numbers of the study; the sponsor's is left out where it is only the study's name."""
    found = []
    for number in draft.version.parts("studyIdentifiers"):
        value, scope = number.text("text"), number.follow("scopeId")
        of_sponsor = scope is not None and scope.id in {one.id for one in sponsors}
        if value is None or (of_sponsor and value == draft.study.peek("name")):
            continue
        owner = next((s["id"] for s in sub_trials if value in str(s.get("registration", ""))), None)
        registry = "Sponsor" if of_sponsor else called(scope) if scope is not None else None
        found.append(filled({"registry": registry, "value": value, "sub_trial": owner}))
        if scope is not None and draft.own:
            scope.settle()
    return found


def _collaborator(role: Part) -> Tree | None:
    kind = role.own("code") if role.parts("assignedPersons") == [] else None
    if kind not in _COLLABORATORS:
        return None
    role.done("name")
    role.follow_all("appliesToIds")
    names = [called(one) for one in role.follow_all("organizationIds")]
    return {"name": names[0], "kind": kind} if names else None


def _officials(role: Part) -> Iterable[Tree]:
    persons = role.parts("assignedPersons")
    if persons and (role.is_code("code", PRINCIPAL_INVESTIGATOR) or role.own("code") == "official"):
        role.done("name")
        role.follow_all("appliesToIds")
    for person in persons:
        name, organisation = person.part("personName"), person.follow("organizationId")
        person.done("name")
        written = name.text("text") if name else None
        if name and not written:
            written = " ".join([*name.texts("givenNames"), name.text("familyName") or ""]).strip()
        yield filled(
            {
                "name": written or None,
                "role": person.text("jobTitle"),
                "affiliation": called(organisation) if organisation else None,
                "source": person.text("description"),
            }
        )


def _masked_party(role: Part) -> MaskedParty | None:
    """The party that a role stands for, where it is masked."""
    masking = role.part("masking")
    if masking is None or masking.tree.get("isMasked") is not True:
        return None
    party = role.coded("code", PARTY_ROLES)
    if party is not None:
        masking.done("isMasked")
    return party


def _masking(draft: Draft, parties: list[MaskedParty], roles: list[Part]) -> Tree | None:
    text = draft.design.noted("Masking").get("Masking")
    for role in roles:
        if draft.own and not role.noted("Kind") and (role.peek("name") or "").startswith("masked "):
            role.settle()
    known = draft.own or bool(parties)
    ordered = [party for party in get_args(MaskedParty) if party in parties]
    return {"parties": ordered, **filled({"text": text})} if known else None


def _role(draft: Draft, role: Part) -> Tree | None:
    """A role of the study: one that this program wrote, or one whose kind CDISC's term says."""
    notes = role.noted("Kind", "Party", "Sees")
    named = notes.get("Kind")
    kind = named if named in get_args(RoleKind) else role.coded("code", KIND_ROLES)
    if kind is None:
        return None
    if named is not None:
        role.own("code")
        role.coded("code", {**KIND_ROLES, **PARTY_ROLES})
    masking = role.part("masking")
    masked = bool(masking.flag("isMasked")) if masking else False
    if masking is not None and draft.own:
        masking.settle()
    role.follow_all("appliesToIds")
    scopes = {text: scope for scope, text in SEES.items()}
    return filled(
        {
            "id": draft.name(role, "role"),
            "kind": kind,
            "name": called(role),
            "masked": masked if masking is not None or draft.own else None,
            "scope": scopes.get(notes.get("Sees", "")),
            "party": notes.get("Party"),
        }
    )


def _sub_trials(draft: Draft, roles: list[Part]) -> tuple[list[Tree], dict[str, str]]:
    """The national trials, and the sub-trial of each organisation that has sites in one."""
    found: list[Tree] = []
    sites_of: dict[str, str] = {}
    for role in roles:
        countries = [note for note in role.parts("notes") if note.peek("text") == "Country"]
        if not countries or not role.is_code("code", STUDY_SITE):
            continue
        countries[0].done("text")
        codes = countries[0].parts("codes")
        notes = role.noted("Registration", "Rules", "Status")
        identifier = draft.name(role, "sub_trial")
        role.follow_all("appliesToIds")
        sites_of |= {organisation.id: identifier for organisation in role.follow_all("organizationIds")}
        found.append(
            filled(
                {
                    "id": identifier,
                    "name": called(role),
                    "country": _country(codes[0]) if codes else None,
                    "registration": notes.get("Registration"),
                    "variant": notes.get("Rules"),
                    "status": notes.get("Status"),
                }
            )
        )
    return found, sites_of


def _country(code: Part) -> str | None:
    """A country's code of two letters, from one of three or two, or from its name."""
    written = (code.peek("code") or "").upper()
    found = alpha_2(written) or country_code(code.peek("decode"))
    if found is not None:
        code.settle()
    return found


def _sites(draft: Draft, sites_of: dict[str, str]) -> Iterable[Tree]:
    organisations = draft.version.parts("organizations")
    taken = {place.peek("name") for one in organisations for place in one.parts("managedSites")}
    numbers: defaultdict[str | None, count[int]] = defaultdict(lambda: count(1))
    for organisation in organisations:
        address = organisation.part("legalAddress")
        for place in organisation.parts("managedSites"):
            code = place.part("country")
            country = _country(code) if code else None
            name = place.text("name") or ""
            if not _SITE.fullmatch(name):
                free = (f"{country}{number:02d}" for number in numbers[country])
                name = next(each for each in free if each not in taken) if country else ""
            lines = place.lines("description", "Time zone", "Rules", "Assumed")
            if address is not None and (located := address.part("country")) is not None:
                _country(located)
            if draft.own:
                organisation.done("name", "label", "identifierScheme", "identifier")
                organisation.settle_at("type")
            yield filled(
                {
                    "id": name or None,
                    "name": called(place),
                    "city": address.text("city") if address else None,
                    "country": country,
                    "time_zone": lines.get("Time zone") or (time_zone(country) if country else None),
                    "sub_trial": sites_of.get(organisation.id),
                    "variant": lines.get("Rules"),
                    "assumed": True if lines.get("Assumed") == "yes" else None,
                }
            )
