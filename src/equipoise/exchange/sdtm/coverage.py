"""What of a data cut stands in which tabulation dataset, and what stands in none, with the reason.

Every field of a cut is in one of the two tables: a new one has to be put there before the tests pass.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

HELD: Final[Mapping[str, str]] = {
    "DataCut.definition": "TA, TE, TV, TI, TS; every dataset takes its terms from it",
    "DataCut.participants": "DM",
    "DataCut.masked": "DM.ARMNRS",
    "DataCut.position": "TS: DCUTDESC",
    "DataCut.recorded_at": "TS: DCUTDTC",
    "DataCut.locked_at": "TS: DCUTDESC, that it is locked",
    "CutParticipant.participant": "DM.SUBJID, USUBJID everywhere",
    "CutParticipant.site": "DM.SITEID",
    "CutParticipant.country": "DM.COUNTRY",
    "CutParticipant.status": "DS; DM.ARMNRS",
    "CutParticipant.consented_on": "DM.RFICDTC, DS, SE",
    "CutParticipant.renewals": "DS",
    "CutParticipant.randomised_on": "DS",
    "CutParticipant.arm": "DM.ARMCD, DM.ACTARMCD; SE and EX by what it is given; nowhere while masked",
    "CutParticipant.ended_on": "DM.RFPENDTC, DS, SE",
    "CutParticipant.end_scope": "DS.DSSCAT",
    "CutParticipant.end_cause": "DS.DSTERM, DS.DSDECOD",
    "CutParticipant.criteria": "IE, those not met",
    "CutParticipant.rows": "the domains of the forms, and their supplemental qualifiers",
    "CutParticipant.encounters": "SV",
    "CutParticipant.administrations": "EX; DM.RFXSTDTC, DM.RFXENDTC",
    "CutParticipant.unblindings": "DV, a code broken in an emergency",
    "CutEncounter.encounter": "SV.VISITNUM, SV.VISIT",
    "CutEncounter.status": "SV.SVOCCUR, SV.SVPRESP; DV where early, late or missed",
    "CutEncounter.took_place_on": "SV.SVSTDTC",
    "CutEncounter.days_off": "DV.DVTERM",
    "CutEncounter.cause": "SV.SVREASOC, SV.SVUPDES",
    "CutRenewal.consent_version": "DS.DSTERM",
    "CutRenewal.consented_on": "DS.DSSTDTC",
    "CutAdministration.product": "EX.EXTRT while masked, EX.EXDOSU",
    "CutAdministration.encounter": "EX, joined to the form of the administration",
    "CutAdministration.epoch": "EX.EPOCH",
    "CutAdministration.given_on": "EX.EXSTDTC, EX.EXENDTC",
}
LEFT_OUT: Final[Mapping[str, str]] = {
    "DataCut.mode": "live or rehearsal: the writer of the files says that data are simulated",
    "DataCut.head": "the seal of the record; it stands in the results package",
    "DataCut.unblinded_at": "no domain holds when a trial was unblinded",
    "DataCut.counts": "tallies of queries and corrections; tabulations hold the data as corrected",
    "DataCut.amendments": "versions of the protocol; the report says what each of them changed",
    "CutParticipant.sub_trial": "follows from the site; ADSL.SUBTRIAL has it",
    "CutParticipant.variant": "follows from the site; ADSL.VARIANT has it, TI.TIVERS the rules themselves",
    "CutParticipant.screening_outcome": "follows from IE and DS",
    "CutParticipant.reviewed": "the day through which a log was confirmed complete has no variable",
    "CutParticipant.failed_lots": "lots that were never given to anybody",
    "CutEncounter.not_asked": "what a version did not ask for yet is no deviation, and DV has those alone",
}
