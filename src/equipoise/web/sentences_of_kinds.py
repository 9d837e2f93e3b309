"""What every kind of entry is called, and the sentence in which the audit trail tells it.

`%(who)s` is who did it; the other words are those that `sentences` makes of the entry's content.
"""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

_BLOTTED = _("%(who)s blotted a passage out of entry %(position)s.")
_REVIEWED = _("%(who)s reviewed %(reviewed)s%(of_whom)s up to entry %(reviewed_through)s: %(findings)s")

_TRIAL: Mapping[str, tuple[Promise, Promise]] = {
    "TrialOpened": (_("Trial opened"), _("%(who)s opened the trial under the definition %(definition)s.")),
    "RoleGranted": (_("Role granted"), _("%(who)s gave %(account)s the role %(role)s%(at_site)s.")),
    "RoleRevoked": (_("Role revoked"), _("%(who)s took the role %(role)s%(at_site)s from %(account)s.")),
    "SiteActivated": (
        _("Site activated"),
        _("%(who)s activated the site %(site)s, approved on %(approved_on)s."),
    ),
    "StudyAmended": (
        _("Study amended"),
        _("%(who)s brought in version %(study_version)s of the study: %(title)s; definition %(definition)s."),
    ),
    "VersionActivated": (
        _("Version released"),
        _("%(who)s released version %(study_version)s to the site %(site)s, approved on %(approved_on)s."),
    ),
    "SiteClosed": (_("Site closed"), _("%(who)s closed the site %(site)s to enrolment.")),
    "DatabaseLocked": (_("Database locked"), _("%(who)s locked the database.")),
    "HeadPublished": (_("Head published"), _("%(who)s gave the head of the ledger to %(destination)s.")),
    "TextBlotted": (_("Passage blotted out"), _BLOTTED),
    "UnmaskingTextBlotted": (_("Passage blotted out"), _BLOTTED),
    "ReviewRecorded": (_("Review"), _REVIEWED),
    "CourseReviewRecorded": (_("Review of the course"), _REVIEWED),
    "UnmaskingReviewRecorded": (_("Review, unmasking"), _REVIEWED),
    "AllocationCommitted": (
        _("Allocation sealed"),
        _("%(who)s sealed the allocation (%(method)s); commitment %(commitment)s."),
    ),
    "TrialUnblinded": (
        _("Trial unblinded"),
        _("%(who)s revealed all allocations, with what proves that they were fixed beforehand."),
    ),
}

_PARTICIPANTS: Mapping[str, tuple[Promise, Promise]] = {
    "ParticipantConsented": (
        _("Consent"),
        _(
            "%(who)s recorded the consent of %(participant)s on %(consented_on)s, version"
            " %(consent_version)s."
        ),
    ),
    "ConsentRenewed": (
        _("Consent renewed"),
        _(
            "%(who)s recorded that %(participant)s consented on %(consented_on)s to version"
            " %(consent_version)s."
        ),
    ),
    "EligibilityAssessed": (
        _("Eligibility assessed"),
        _("%(who)s assessed the eligibility of %(participant)s for %(assessed_on)s: %(outcome)s."),
    ),
    "ScreeningFailed": (
        _("Screening failed"),
        _("%(who)s ended the screening of %(participant)s on %(failed_on)s: %(cause)s"),
    ),
    "ParticipantRescreened": (
        _("Screened again"),
        _("%(who)s began screening %(screening)s of %(participant)s on %(rescreened_on)s."),
    ),
    "ParticipantRandomised": (
        _("Randomised"),
        _("%(who)s randomised %(participant)s on %(randomised_on)s; the number is %(number)s."),
    ),
    "ParticipantWithdrawn": (
        _("Withdrawn"),
        _("%(who)s recorded that %(participant)s withdrew from %(scope)s on %(withdrawn_on)s: %(cause)s"),
    ),
    "ParticipantCompleted": (
        _("Completed"),
        _("%(who)s recorded that %(participant)s completed the trial on %(completed_on)s."),
    ),
    "IdentityRegistered": (
        _("Identity registered"),
        _("%(who)s registered name and contact of %(participant)s, apart from here."),
    ),
    "IdentityErased": (
        _("Identity erased"),
        _("%(who)s erased name and contact of %(participant)s: %(cause)s"),
    ),
    "ParticipantUnblinded": (
        _("Emergency unblinding"),
        _("%(who)s broke the code for %(participant)s: %(cause)s Told are: %(informed)s."),
    ),
    "UnblindingReported": (
        _("Accidental unblinding"),
        _(
            "%(who)s reported that an allocation was learned by accident (%(participant)s,"
            " by %(learned_by)s)."
        ),
    ),
    "UnblindingAssessed": (
        _("Accidental unblinding assessed"),
        _("%(who)s told how it came about for %(participant)s: %(how)s Assessment: %(assessment)s"),
    ),
    "ParticipantFrozen": (_("Frozen"), _("%(who)s closed the data of %(participant)s for entry.")),
    "ParticipantUnfrozen": (_("Opened again"), _("%(who)s opened the data of %(participant)s again.")),
}

_FORM_RECORDED = _("%(who)s filled in %(place)s for %(participant)s.")
_CORRECTED = _("%(who)s changed %(item)s from %(before)s to %(after)s in %(place)s for %(participant)s.")
_REMOVED = _("%(who)s struck out %(place)s of %(participant)s.")
_CONFIRMED = _("%(who)s confirmed that the log %(form)s of %(participant)s is complete up to %(through)s.")
_ASKED = _("%(who)s asked %(query)s about %(item_or_form)s in %(place)s of %(participant)s: %(text)s")
_ANSWERED = _("%(who)s answered %(query)s (%(participant)s): %(text)s")
_CLOSED = _("%(who)s accepted the answer to %(query)s (%(participant)s).")
_VERIFIED = _("%(who)s compared %(compared)s of %(participant)s with its source.")

_FORMS: Mapping[str, tuple[Promise, Promise]] = {
    "EncounterStarted": (
        _("Encounter"),
        _(
            "%(who)s recorded that %(encounter)s of %(participant)s took place on"
            " %(took_place_on)s (%(status)s)."
        ),
    ),
    "EncounterMissed": (
        _("Encounter missed"),
        _("%(who)s recorded that %(encounter)s of %(participant)s did not take place: %(cause)s"),
    ),
    "FormRecorded": (_("Form recorded"), _FORM_RECORDED),
    "UnmaskingFormRecorded": (_("Form recorded, unmasking part"), _FORM_RECORDED),
    "ItemCorrected": (_("Correction"), _CORRECTED),
    "UnmaskingItemCorrected": (_("Correction, unmasking"), _CORRECTED),
    "RowRemoved": (_("Row struck out"), _REMOVED),
    "UnmaskingRowRemoved": (_("Row struck out, unmasking"), _REMOVED),
    "LogConfirmed": (_("Log confirmed"), _CONFIRMED),
    "UnmaskingLogConfirmed": (_("Log confirmed, unmasking"), _CONFIRMED),
    "QueryOpened": (_("Query asked"), _ASKED),
    "UnmaskingQueryOpened": (_("Query asked, unmasking"), _ASKED),
    "QueryAnswered": (_("Query answered"), _ANSWERED),
    "UnmaskingQueryAnswered": (_("Query answered, unmasking"), _ANSWERED),
    "QueryClosed": (_("Query closed"), _CLOSED),
    "UnmaskingQueryClosed": (_("Query closed, unmasking"), _CLOSED),
    "UnmaskingChecksRun": (
        _("Unmasking checks"),
        _(
            "The edit checks on what would unmask were run on %(place)s of %(participant)s,"
            " after %(who)s recorded:"
            " %(opened)s opened, %(answered)s settled."
        ),
    ),
    "SourceVerified": (_("Source verified"), _VERIFIED),
    "UnmaskingSourceVerified": (_("Source verified, unmasking"), _VERIFIED),
    "CasebookSigned": (
        _("Casebook signed"),
        _("%(who)s signed the casebook of %(participant)s, meaning: %(meaning)s (SHA-256 %(signed_hash)s)."),
    ),
}

_CODING: Mapping[str, tuple[Promise, Promise]] = {
    "DictionaryAdded": (
        _("Dictionary added"),
        _("%(who)s added %(dictionary)s %(dictionary_version)s (SHA-256 %(sha256)s)."),
    ),
    "TermCoded": (
        _("Term coded"),
        _(
            "%(who)s coded '%(verbatim)s' in %(place)s of %(participant)s with %(dictionary)s"
            " %(dictionary_version)s: %(path)s (accepted as proposed: %(automatic)s)."
        ),
    ),
    "CodingCarriedOver": (
        _("Coding carried over"),
        _(
            "%(who)s carried the coding in %(place)s of %(participant)s over from %(dictionary)s"
            " %(earlier_version)s to %(dictionary_version)s, unchanged: %(term)s (%(code)s)."
        ),
    ),
}

_SAFETY: Mapping[str, tuple[Promise, Promise]] = {
    "AdverseEventJudged": (
        _("Event judged"),
        _(
            "By what %(who)s recorded, the event in row %(row)s of %(participant)s is: serious %(serious)s,"
            " related %(related)s, unexpected %(unexpected)s."
        ),
    ),
    "AdverseEventStruckOut": (
        _("Event struck out"),
        _("With its row, the event in row %(row)s of %(participant)s was struck out by %(who)s."),
    ),
    "AdverseEventAssessed": (
        _("Event assessed"),
        _(
            "%(who)s assessed the event in row %(row)s of %(participant)s for the sponsor:"
            " related %(related)s,"
            " expected %(expected)s. %(text)s"
        ),
    ),
    "SafetyClockStarted": (
        _("Report due"),
        _(
            "By what %(who)s recorded, the report %(clock)s on row %(row)s of"
            " %(participant)s is due by %(due_at)s."
        ),
    ),
    "SafetyClockStopped": (
        _("Report not due any more"),
        _(
            "By what %(who)s recorded, the report %(clock)s on row %(row)s of"
            " %(participant)s is not due any more."
        ),
    ),
    "SafetyReportSubmitted": (
        _("Report sent"),
        _(
            "%(who)s sent the report %(clock)s on row %(row)s of %(participant)s at %(submitted_at)s (late:"
            " %(late)s)."
        ),
    ),
}

_SCANS: Mapping[str, tuple[Promise, Promise]] = {
    "ScanReceived": (
        _("Scan received"),
        _("%(who)s recorded the scan %(scan)s of %(participant)s, %(encounter)s, made on %(acquired_on)s."),
    ),
    "ScanAccepted": (
        _("Scan accepted"),
        _("%(who)s accepted the quality of the scan %(scan)s of %(participant)s."),
    ),
    "ScanRefused": (
        _("Scan refused"),
        _("%(who)s refused the quality of the scan %(scan)s of %(participant)s: %(cause)s"),
    ),
    "ReadRecorded": (_("Reading"), _("%(who)s read the scan %(scan)s (task %(task)s).")),
    "ReadingsDisagreed": (
        _("Readings disagree"),
        _("The readings of the scan %(scan)s disagree in: %(items)s; the adjudicator's task is %(task)s."),
    ),
    "AdjudicationRecorded": (
        _("Adjudication"),
        _("%(who)s adjudicated the scan %(scan)s (task %(task)s)."),
    ),
    "ScanRead": (_("Final reading"), _("The reading of the scan %(scan)s is final (%(how)s).")),
}

_SUPPLY: Mapping[str, tuple[Promise, Promise]] = {
    "SourceCollected": (
        _("Starting material collected"),
        _("%(who)s collected the starting material of lot %(lot)s from %(participant)s on %(collected_on)s."),
    ),
    "SourceDetailed": (
        _("Collection, unmasking part"),
        _("%(who)s recorded more of the collection of lot %(lot)s of %(participant)s."),
    ),
    "ManufactureRecorded": (
        _("Manufacture"),
        _(
            "%(who)s recorded the manufacture of lot %(lot)s of %(participant)s on"
            " %(recorded_on)s, day %(days)s."
        ),
    ),
    "LotReleased": (
        _("Lot released"),
        _("%(who)s released lot %(lot)s of %(participant)s on %(released_on)s."),
    ),
    "LotFailed": (_("Lot failed"), _("%(who)s gave up lot %(lot)s of %(participant)s on %(failed_on)s.")),
    "LotFailureExplained": (
        _("Lot failure explained"),
        _("%(who)s said why lot %(lot)s of %(participant)s was given up: %(cause)s"),
    ),
    "UnitPrepared": (
        _("Unit prepared"),
        _(
            "%(who)s prepared unit %(unit)s (%(product)s) for %(participant)s, %(encounter)s, on"
            " %(prepared_on)s."
        ),
    ),
    "UnitAdministered": (
        _("Unit given"),
        _("%(who)s gave unit %(unit)s (%(product)s) to %(participant)s, %(encounter)s, on %(given_on)s."),
    ),
    "UnitAdministrationDetailed": (
        _("Administration, unmasking part"),
        _("%(who)s recorded more of how unit %(unit)s was given to %(participant)s."),
    ),
    "UnitDiscarded": (
        _("Unit discarded"),
        _("%(who)s discarded unit %(unit)s of %(participant)s: %(cause)s"),
    ),
}

_ALL = {**_TRIAL, **_PARTICIPANTS, **_FORMS, **_CODING, **_SAFETY, **_SCANS, **_SUPPLY}

TITLES: Mapping[str, Promise] = {kind: title for kind, (title, _sentence) in _ALL.items()}
"""What each kind of entry is called in lists."""

SENTENCES: Mapping[str, Promise] = {kind: sentence for kind, (_title, sentence) in _ALL.items()}
"""How each kind of entry is told."""
