"""Organisations, sites, roles and masking of a study in USDM."""

from __future__ import annotations

from equipoise.definition.model.definition import StudyDefinition
from equipoise.definition.model.study import MaskedParty, Role, Site, Study, SubTrial
from equipoise.exchange.usdm.make import Maker, Tree, lines_of
from equipoise.exchange.usdm.terms import (
    HEALTHCARE,
    KIND_ROLES,
    PARTY_ROLES,
    PRINCIPAL_INVESTIGATOR,
    REGISTRY,
    SPONSOR,
    STUDY_SITE,
    Term,
)

SPONSOR_KEY = "sponsor"
SEES = {"site": "its own site", "trial": "the whole trial"}


def write_identifiers(maker: Maker, study: Study) -> list[Tree]:
    """Return the study's numbers within their registries, after the one of the sponsor that USDM asks for."""
    own = maker.make(
        "StudyIdentifier", {"text": study.id, "scopeId": maker.id_of("Organization", SPONSOR_KEY)}
    )
    return [
        own,
        *(
            maker.make(
                "StudyIdentifier",
                {
                    "text": number.value,
                    "scopeId": maker.id_of("Organization", _registry_key(number.registry)),
                },
            )
            for number in study.identifiers
        ),
    ]


def _registry_key(name: str) -> str:
    return f"registry {name}"


def write_organisations(maker: Maker, definition: StudyDefinition) -> list[Tree]:
    """Return the sponsor, who works with it, the registries, and one healthcare facility for each site."""
    study = definition.study
    own = {SPONSOR_KEY: study.sponsor.name}
    own |= {f"collaborator {n}": found.name for n, found in enumerate(study.collaborators, 1)}
    own |= {_affiliation_key(name): name for name in _affiliations(study)}
    registries = dict.fromkeys(number.registry for number in study.identifiers)
    return [
        *(_organisation(maker, key, name, None) for key, name in own.items()),
        *(_organisation(maker, _registry_key(name), name, REGISTRY) for name in registries),
        *(_facility(maker, definition, site) for site in study.sites),
    ]


def _affiliation_key(name: str) -> str:
    return f"affiliation {name}"


def _affiliations(study: Study) -> list[str]:
    """The organisations of officials that are not there already."""
    named = {study.sponsor.name, *(found.name for found in study.collaborators)}
    return [
        name
        for name in dict.fromkeys(person.affiliation for person in study.officials)
        if name and name not in named
    ]


def _organisation(maker: Maker, key: str, label: str, kind: Term | None, fields: Tree | None = None) -> Tree:
    return maker.make(
        "Organization",
        {
            "name": key,
            "label": label,
            "type": maker.own_code("not_stated") if kind is None else maker.code(kind),
            "identifierScheme": "Equipoise",
            "identifier": key,
            **(fields or {}),
        },
        key=key,
    )


def _facility(maker: Maker, definition: StudyDefinition, site: Site) -> Tree:
    address = {"city": site.city, "country": maker.country(site.country)}
    place = maker.make(
        "StudySite",
        {
            "name": site.id,
            "label": site.name,
            "description": lines_of(
                ("Time zone", site.time_zone),
                ("Rules", site.variant),
                ("Assumed", "yes" if site.assumed else None),
            ),
            "country": maker.country(site.country),
        },
        key=site.id,
    )
    fields: Tree = {"legalAddress": maker.make("Address", address), "managedSites": [place]}
    return _organisation(maker, f"site {site.id}", site.name, HEALTHCARE, fields)


def write_roles(maker: Maker, study: Study) -> list[Tree]:
    """Return the sponsor's role, those of other organisations and persons, and who is masked."""
    version, design = [maker.id_of("StudyVersion", "main")], [maker.id_of("StudyDesign", "main")]
    return [
        _role(
            maker,
            "sponsor",
            {
                "label": "Sponsor",
                "code": maker.code(SPONSOR),
                "appliesToIds": version,
                "organizationIds": [maker.id_of("Organization", SPONSOR_KEY)],
                "notes": maker.notes(("Responsible party", study.responsible_party)),
            },
        ),
        *_collaborators(maker, study, version),
        *_officials(maker, study, version),
        *(_sub_trial(maker, study, sub_trial, version) for sub_trial in study.sub_trials),
        *_masked_parties(maker, study, design),
        *(_study_role(maker, study, role, design) for role in study.roles),
    ]


def _role(maker: Maker, name: str, fields: Tree) -> Tree:
    return maker.make("StudyRole", {"name": name, **fields})


def _collaborators(maker: Maker, study: Study, version: list[str]) -> list[Tree]:
    return [
        _role(
            maker,
            f"collaborator {number}",
            {
                "code": maker.own_code(found.kind),
                "appliesToIds": version,
                "organizationIds": [maker.id_of("Organization", f"collaborator {number}")],
            },
        )
        for number, found in enumerate(study.collaborators, 1)
    ]


def _officials(maker: Maker, study: Study, version: list[str]) -> list[Tree]:
    keys = {found.name: f"collaborator {number}" for number, found in enumerate(study.collaborators, 1)}
    keys |= {name: _affiliation_key(name) for name in _affiliations(study)} | {
        study.sponsor.name: SPONSOR_KEY
    }
    found = []
    for number, person in enumerate(study.officials, 1):
        assigned = maker.make(
            "AssignedPerson",
            {
                "name": f"official {number}",
                "personName": maker.make("PersonName", {"text": person.name}),
                "jobTitle": person.role,
                "organizationId": maker.id_of("Organization", keys[person.affiliation])
                if person.affiliation
                else None,
                "description": person.source,
            },
        )
        leads = "principal investigator" in person.role.lower()
        code = maker.code(PRINCIPAL_INVESTIGATOR) if leads else maker.own_code("official")
        fields: Tree = {"code": code, "appliesToIds": version}
        found.append(_role(maker, f"official {number}", {**fields, "assignedPersons": [assigned]}))
    return found


def _sub_trial(maker: Maker, study: Study, sub_trial: SubTrial, version: list[str]) -> Tree:
    """The sites of a national trial, as the organisations that have the role of its study sites."""
    sites = [site.id for site in study.sites if site.sub_trial == sub_trial.id]
    country = maker.make(
        "CommentAnnotation", {"text": "Country", "codes": [maker.country(sub_trial.country)]}
    )
    rest = maker.notes(
        ("Registration", sub_trial.registration), ("Rules", sub_trial.variant), ("Status", sub_trial.status)
    )
    return _role(
        maker,
        sub_trial.id,
        {
            "label": sub_trial.name,
            "code": maker.code(STUDY_SITE),
            "appliesToIds": version,
            "organizationIds": [maker.id_of("Organization", f"site {site}") for site in sites],
            "notes": [country, *rest],
        },
    )


def _masked_parties(maker: Maker, study: Study, design: list[str]) -> list[Tree]:
    """The parties that are masked and that no role of the study stands for."""
    stood_for = {role.party for role in study.roles if role.masked}
    return [
        _role(
            maker,
            f"masked {party}",
            {
                "label": party.replace("_", " ").capitalize(),
                "code": maker.code(PARTY_ROLES[party]),
                "appliesToIds": design,
                "masking": _masking(maker, True),
            },
        )
        for party in study.masking.parties
        if party not in stood_for
    ]


def _masking(maker: Maker, masked: bool) -> Tree:
    text = "Must not learn an allocation before unblinding" if masked else "May know the allocation"
    return maker.make("Masking", {"text": text, "isMasked": masked})


def _study_role(maker: Maker, study: Study, role: Role, design: list[str]) -> Tree:
    party: MaskedParty | None = role.party
    code = maker.code(PARTY_ROLES[party]) if party else maker.coded(KIND_ROLES, role.kind)
    # In an open study nobody is masked, and CDISC's rules expect no masking of any role.
    masking = _masking(maker, role.masked) if study.masking.parties or role.masked else None
    return _role(
        maker,
        role.id,
        {
            "label": role.name,
            "code": code,
            "appliesToIds": design,
            "masking": masking,
            "notes": maker.notes(("Kind", role.kind), ("Party", role.party), ("Sees", SEES[role.scope])),
        },
    )
