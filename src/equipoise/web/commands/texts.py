"""The words of each command."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True, slots=True)
class CommandText:
    """A command's words: `title` on links and headings, `button`, what it does, what is said when it is done.

    With `reason`, one must be given; with `signed`, whoever gives it proves who they are; `grave` cannot be
    taken back.
    """

    title: Promise
    button: Promise
    explanation: Promise
    done: Promise
    reason: bool = False
    signed: bool = False
    grave: bool = False


TEXTS: Mapping[str, CommandText] = {
    "GrantRole": CommandText(
        _("Grant a role"),
        _("Grant"),
        _("The account may act in the role from now on; it is on the delegation log."),
        _("The role is granted."),
    ),
    "RevokeRole": CommandText(
        _("Revoke a role"),
        _("Revoke"),
        _("The account may not act in the role any more. What it recorded stays."),
        _("The role is revoked."),
    ),
    "ActivateSite": CommandText(
        _("Activate a site"),
        _("Activate"),
        _("The site may take consents from now on: its approvals are there."),
        _("The site is active."),
    ),
    "ActivateVersion": CommandText(
        _("Release a version to a site"),
        _("Release"),
        _("The site works under this version from now on: its approvals are there."),
        _("The version holds at the site."),
    ),
    "CloseSite": CommandText(
        _("Close a site to enrolment"),
        _("Close"),
        _("The site takes no further consents. Those who are enrolled go on."),
        _("The site is closed to enrolment."),
        grave=True,
    ),
    "LockDatabase": CommandText(
        _("Lock the database"),
        _("Lock for good"),
        _("The data are closed for good, so that the analysis can begin. Nothing may be unfinished."),
        _("The database is locked."),
        grave=True,
        signed=True,
    ),
    "BlotText": CommandText(
        _("Blot out a passage"),
        _("Blot out for good"),
        _(
            "Takes a name, or what else betrays who somebody is, out of a free text and out of the record itself. What stays is a mark, and on the audit trail who blotted out, when and why."
        ),
        _("The passage is blotted out."),
        reason=True,
        signed=True,
        grave=True,
    ),
    "PublishHead": CommandText(
        _("Publish the head of the ledger"),
        _("Publish"),
        _(
            "Puts on record that the head of the chain was given to somebody outside, who can later prove that nothing before it was changed."
        ),
        _("The head is on record as published."),
    ),
    "RecordReview": CommandText(
        _("Record a review"),
        _("Record the review"),
        _(
            "Puts on record what you reviewed up to which entry of the ledger, what you found, and when it is due again."
        ),
        _("The review is on record."),
    ),
    "ConsentParticipant": CommandText(
        _("Record a consent"),
        _("Record the consent"),
        _("A candidate signed the consent form on paper. They get the next code of the site."),
        _("The consent is recorded."),
    ),
    "RenewConsent": CommandText(
        _("Renew a consent"),
        _("Record the consent"),
        _("The participant signed a newer version of the consent form."),
        _("The consent is recorded."),
    ),
    "AssessEligibility": CommandText(
        _("Assess eligibility"),
        _("Assess and record"),
        _(
            "Every criterion is evaluated on what is recorded, and the result is frozen with the rules behind it."
        ),
        _("The assessment is recorded."),
    ),
    "FailScreening": CommandText(
        _("Record a screening failure"),
        _("Record the failure"),
        _("Screening ends without randomisation. The data stay."),
        _("The screening failure is recorded."),
    ),
    "RescreenParticipant": CommandText(
        _("Screen again"),
        _("Begin a new screening"),
        _("A candidate who failed screening is screened again under the same code."),
        _("The new screening has begun."),
    ),
    "WithdrawParticipant": CommandText(
        _("Record a withdrawal"),
        _("Record the withdrawal"),
        _(
            "Participation ends early, in the scope that the participant chose. What was recorded stays, as the protocol says."
        ),
        _("The withdrawal is recorded."),
        grave=True,
    ),
    "CompleteParticipant": CommandText(
        _("Record a completion"),
        _("Record the completion"),
        _("The participant finished the trial as planned."),
        _("The completion is recorded."),
    ),
    "RegisterIdentity": CommandText(
        _("Register name and contact"),
        _("Register"),
        _(
            "Name and contact are kept under seal in a register of their own, apart from the data, for the staff of this site only."
        ),
        _("The identity is registered."),
    ),
    "EraseIdentity": CommandText(
        _("Erase name and contact"),
        _("Erase for good"),
        _(
            "Name and contact are taken from the register and overwritten. What was recorded under the code stays."
        ),
        _("The identity is erased."),
        grave=True,
    ),
    "CommitAllocation": CommandText(
        _("Commit to the allocation"),
        _("Make and seal the list"),
        _(
            "The allocation list is made, sealed in the vault, and its commitment recorded, before the first participant."
        ),
        _("The allocation is sealed and committed to."),
        grave=True,
    ),
    "RandomiseParticipant": CommandText(
        _("Randomise"),
        _("Randomise"),
        _(
            "The participant gets the next allocation of their stratum. Nobody at the site learns it. It cannot be undone."
        ),
        _("The participant is randomised."),
        grave=True,
    ),
    "UnblindInEmergency": CommandText(
        _("Break the code in an emergency"),
        _("Break the code"),
        _(
            "The allocation of this one participant is shown to you, now. Others learn that the code was broken, when and why, and not what it held."
        ),
        _("The code is broken, and on record."),
        grave=True,
        signed=True,
    ),
    "ReportUnblinding": CommandText(
        _("Report an unblinding"),
        _("Report"),
        _(
            "Somebody learned an allocation by accident. Who, how, and how it was judged goes on record; what was learned does not."
        ),
        _("The report is recorded."),
    ),
    "UnblindTrial": CommandText(
        _("Unblind the trial"),
        _("Reveal every allocation"),
        _(
            "Every allocation is revealed, with the salts that prove the commitments. Everybody sees them from then on."
        ),
        _("The trial is unblinded."),
        grave=True,
        signed=True,
    ),
    "StartEncounter": CommandText(
        _("Record an encounter"),
        _("Record the encounter"),
        _("The encounter took place. Outside its window it is kept and marked."),
        _("The encounter is recorded."),
    ),
    "StartUnscheduledEncounter": CommandText(
        _("Record an unscheduled encounter"),
        _("Record the encounter"),
        _("An encounter took place that the schedule does not hold."),
        _("The encounter is recorded."),
    ),
    "MissEncounter": CommandText(
        _("Record a missed encounter"),
        _("Record it as missed"),
        _("The encounter did not take place."),
        _("The encounter is recorded as missed."),
    ),
    "RecordForm": CommandText(
        _("Fill in a form"),
        _("Record"),
        _("The answers become part of the trial's record, under your name."),
        _("The form is recorded."),
    ),
    "CorrectForm": CommandText(
        _("Correct a form"),
        _("Record the correction"),
        _(
            "The new values stand from now on; the old ones stay readable in the audit trail, with your reason."
        ),
        _("The correction is recorded."),
        reason=True,
    ),
    "RemoveRow": CommandText(
        _("Strike out a row"),
        _("Strike out"),
        _("The row counts no more; it stays readable in the audit trail, with your reason."),
        _("The row is struck out."),
        reason=True,
    ),
    "ConfirmLog": CommandText(
        _("Confirm a log"),
        _("Confirm"),
        _("The log holds everything up to this day."),
        _("The log is confirmed."),
    ),
    "OpenQuery": CommandText(
        _("Ask a query"),
        _("Ask"),
        _("The site is asked about a recorded or a missing value."),
        _("The query is open."),
    ),
    "AnswerQuery": CommandText(
        _("Answer a query"),
        _("Answer"),
        _("Your answer goes to whoever asked. To change a value, correct the form."),
        _("The answer is recorded."),
    ),
    "CloseQuery": CommandText(
        _("Close a query"), _("Close"), _("The answer is accepted."), _("The query is closed.")
    ),
    "VerifySource": CommandText(
        _("Verify against the source"),
        _("Record as verified"),
        _("The answers were compared with the source documents, and agree."),
        _("The verification is recorded."),
    ),
    "SignCasebook": CommandText(
        _("Sign a casebook"),
        _("Sign"),
        _(
            "You sign all that is recorded of this participant as you may see it. The signature names its hash, your name, the time, and its meaning."
        ),
        _("The casebook is signed."),
        signed=True,
    ),
    "FreezeParticipant": CommandText(
        _("Freeze a participant's data"),
        _("Freeze"),
        _("Nothing more is entered for this participant; corrections need an unfreeze first."),
        _("The data are frozen."),
    ),
    "UnfreezeParticipant": CommandText(
        _("Unfreeze a participant's data"),
        _("Unfreeze"),
        _("Entry and correction are possible again."),
        _("The data are open again."),
        reason=True,
    ),
    "CodeTerm": CommandText(
        _("Code a term"),
        _("Record the choice"),
        _("The words of the site are given a term of the dictionary. The words themselves stay as they are."),
        _("The term is coded."),
    ),
    "CodeMatches": CommandText(
        _("Accept what the dictionary proposes"),
        _("Accept all"),
        _("Words that the dictionary has as they are, or that were coded before, are coded together."),
        _("The proposals are accepted."),
    ),
    "CarryOverCodings": CommandText(
        _("Carry codings over to the version in use"),
        _("Carry all over"),
        _(
            "Codings with an earlier version, whose codes and names are the same now, hold in the version in use."
        ),
        _("The codings are carried over."),
    ),
    "AssessEvent": CommandText(
        _("Assess a serious event"),
        _("Record the assessment"),
        _("The sponsor's own judgement of a serious adverse event, beside the investigator's."),
        _("The assessment is recorded."),
    ),
    "SubmitSafetyReport": CommandText(
        _("Record a safety report as sent"),
        _("Record as sent"),
        _("A report that a clock asked for was sent to whom it is due."),
        _("The report is recorded as sent."),
    ),
    "ReceiveScan": CommandText(
        _("Log a scan"),
        _("Log the scan"),
        _("A scan has arrived at the reading centre."),
        _("The scan is logged."),
    ),
    "AcceptScan": CommandText(
        _("Accept a scan"),
        _("Accept"),
        _("The scan's quality suffices; its reads are put in the queue."),
        _("The scan is accepted."),
    ),
    "RefuseScan": CommandText(
        _("Refuse a scan"),
        _("Refuse"),
        _("The scan's quality does not suffice; it may be acquired again."),
        _("The scan is refused."),
    ),
    "RecordRead": CommandText(
        _("Read a scan"),
        _("Record the reading"),
        _("Your independent reading of this task. Nobody sees it before the reading is final."),
        _("The reading is recorded."),
    ),
    "RecordAdjudication": CommandText(
        _("Adjudicate a scan"),
        _("Record the decision"),
        _("You decide between two readings that disagree."),
        _("The decision is recorded."),
    ),
    "CollectSource": CommandText(
        _("Record a collection"),
        _("Record the collection"),
        _("Starting material was taken from the participant; a lot begins."),
        _("The collection is recorded."),
    ),
    "RecordManufacture": CommandText(
        _("Record the manufacture of a lot"),
        _("Record"),
        _("The laboratory's record of the lot."),
        _("The manufacture is recorded."),
    ),
    "ReleaseLot": CommandText(
        _("Release a lot"),
        _("Release"),
        _("The lot meets every release criterion and may be given."),
        _("The lot is released."),
        signed=True,
    ),
    "FailLot": CommandText(
        _("Give a lot up"),
        _("Give up"),
        _("The lot will not be used."),
        _("The lot is given up."),
        grave=True,
    ),
    "PrepareUnit": CommandText(
        _("Prepare a unit"),
        _("Prepare"),
        _(
            "What the allocation says is made up for this encounter, in a container that bears only a random number."
        ),
        _("The unit is prepared."),
    ),
    "AdministerUnit": CommandText(
        _("Record an administration"),
        _("Record"),
        _("The unit was given to the participant. It is refused when it was made for somebody else."),
        _("The administration is recorded."),
    ),
    "DiscardUnit": CommandText(
        _("Discard a unit"),
        _("Discard"),
        _("The unit is destroyed and will not be given."),
        _("The unit is discarded."),
        grave=True,
    ),
}
"""By the command's name."""
