"""What a refusal means in general, for a reader whose language is not that of its own sentence.

The rooms of the trial, and what writes files, refuse in English, with codes and days in the sentence; a code
says what kind of refusal it is. What the clinic itself refuses is in the reader's language already, and is
not here.
"""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

_ACCESS: Mapping[str, Promise] = {
    "ACC-COMMAND": _("Your role may not do this."),
    "ACC-FORM": _("Your role does not fill in this form."),
    "ACC-GRANT": _("The account does not hold the role that it acts in."),
    "ACC-ITEM": _("Your role sees no such item."),
    "ACC-MASK": _("The account would hold a masked and an unmasked role at once."),
    "ACC-PARTICIPANT": _("Your role sees no such participant."),
    "ACC-PRODUCT": _("Your role does not handle this product in this step."),
    "ACC-ROLE": _("The study has no such role."),
    "ACC-SITE": _("Your account does not act for this site."),
    "ACC-UNSEEN": _("Your role does not see this."),
}

_ALLOCATION: Mapping[str, Promise] = {
    "ALL-COMMITTED": _("The allocation was committed to already, and a list is never replaced."),
    "ALL-DESIGN": _("The definition's allocation is not the one that was committed to."),
    "ALL-EMERGENCY": _("Your role may not break the code."),
    "ALL-EXHAUSTED": _("The list has no place left in this stratum."),
    "ALL-FACTOR": _("What the stratum depends on is not recorded yet."),
    "ALL-NOT-RANDOMISED": _("The participant is not randomised."),
    "ALL-NOT-UNBLINDED": _("You did not break the code of this participant, or no longer hold the role."),
    "ALL-RANDOMISED": _("The participant is randomised already."),
    "ALL-REVEALED": _("Every allocation was revealed already."),
    "ALL-UNCOMMITTED": _("The allocation is not committed to yet."),
    "ALL-VAULT": _("The vault belongs to another trial or another design."),
}

_CAPTURE: Mapping[str, Promise] = {
    "CAP-ANCHOR": _("The encounter counts from a day that is not recorded yet."),
    "CAP-BEFORE-CONSENT": _("The day is before the consent."),
    "CAP-CASEBOOK-CHANGED": _("The casebook was changed since you opened this page. Nothing was signed."),
    "CAP-CHANGED": _("The form was changed since you looked at it."),
    "CAP-ENCOUNTER": _("The form is filled in at an encounter, and none was named."),
    "CAP-ENCOUNTER-TWICE": _("The encounter is recorded already."),
    "CAP-FORM": _("The form is filled in together with the step that it belongs to."),
    "CAP-FROZEN": _("The data are frozen already."),
    "CAP-LOG": _("The form is not a log."),
    "CAP-LOG-EARLIER": _("The log is confirmed up to a later day already."),
    "CAP-MASKED": _("An item of the form is not open to your role."),
    "CAP-NOT-ASKED": _("With these answers, items that are answered are not asked any more."),
    "CAP-NOT-FROZEN": _("The data are not frozen."),
    "CAP-NOT-PLANNED": _("The form does not belong to this encounter."),
    "CAP-NOT-TAKEN-PLACE": _("The encounter has not taken place."),
    "CAP-NOTHING-TO-SIGN": _("Nothing is recorded that could be signed."),
    "CAP-QUERY": _("The query is not in a state in which this can be done."),
    "CAP-REASON": _("A reason is needed."),
    "CAP-REMOVED": _("The row was struck out."),
    "CAP-ROW": _("The form has no rows to strike out."),
    "CAP-RETIRED": _("An amendment retired this: nothing new is recorded in it."),
    "CAP-TWICE": _("The form is recorded already."),
    "CAP-UNCHANGED": _("The form has these values already."),
    "CAP-UNKNOWN-ENCOUNTER": _("The schedule has no such encounter."),
    "CAP-UNKNOWN-FORM": _("The study has no such form."),
    "CAP-UNKNOWN-ITEM": _("The form has no such item."),
    "CAP-UNKNOWN-QUERY": _("There is no such query."),
    "CAP-UNKNOWN-RECORD": _("The form is not recorded there."),
    "CAP-UNANSWERED": _("There is no answer to compare with its source."),
    "CAP-VERIFIED": _(
        "Nothing is left to verify here: it is verified as it stands, or the plan does not ask for it."
    ),
}

_CODING: Mapping[str, Promise] = {
    "COD-CHANGED": _("The words were changed since you looked at them."),
    "COD-NO-DICTIONARY": _("No version of the dictionary was added to the trial."),
    "COD-NO-TERMS": _("The terms of the dictionary are not kept beside the trial."),
    "COD-NO-WORDS": _("There are no words to be coded at this place."),
    "COD-NOT-ASKED-FOR": _("The study codes nothing with this dictionary."),
    "COD-NOT-CURRENT": _("The term is not current any more."),
    "COD-CODINGS-CHANGED": _("The codings changed since you opened this page. Nothing was carried over."),
    "COD-NOTHING-CARRIED": _("No coding with an earlier version is unchanged in the version in use."),
    "COD-NOTHING": _("Nothing is proposed for what is not coded."),
    "COD-PROPOSALS-CHANGED": _("The proposals changed since you opened this page. Nothing was coded."),
    "COD-REASON": _("The words are coded already, and another choice needs a reason."),
    "COD-SAME": _("The words are coded so already."),
    "COD-TWICE": _("This version of the dictionary was added already."),
    "COD-UNKNOWN-CODE": _("The dictionary has no such code on its lowest level."),
}

_CONDUCT: Mapping[str, Promise] = {
    "CON-ASSESSMENT": _("Eligibility was not assessed for this day."),
    "CON-DEFINITION": _("The trial runs under another study definition."),
    "CON-ENCOUNTER": _("The encounter has not taken place."),
    "CON-FROZEN": _("The participant's data are frozen."),
    "CON-IDENTITY": _("The register of identities does not agree with the ledger."),
    "CON-LOCK": _("The database cannot be locked: matters are open."),
    "CON-LOCKED": _("The database is locked, and this is closed."),
    "CON-NAME": _("The name is empty."),
    "CON-NOT-ELIGIBLE": _("The participant was not found eligible."),
    "CON-NOT-OPEN": _("The trial is not open yet."),
    "CON-NOT-RANDOMISED": _("The participant is not randomised."),
    "CON-RANDOMISED": _("The participant is randomised already."),
    "CON-RELEASE": _("There is no released lot for this participant."),
    "CON-SITE": _("The site is not active."),
    "CON-STATE": _("The participant is not in screening."),
    "CON-UNBLIND": _("Allocations are revealed once, after the lock."),
    "CON-WITHDRAWN": _("The participant has withdrawn."),
}

_ENROLMENT: Mapping[str, Promise] = {
    "ENR-BEFORE-CONSENT": _("The day is before the consent."),
    "ENR-DRAFT": _("Criteria of the study definition are not finished, so eligibility cannot be assessed."),
    "ENR-IDENTITY": _("The participant's identity is registered already, or is not registered."),
    "ENR-RESCREENING": _("The study does not allow a second screening."),
    "ENR-SCOPE": _("A withdrawal can be widened, and not narrowed."),
    "ENR-STATE": _("The participant's state does not allow this."),
    "ENR-UNKNOWN-PARTICIPANT": _("There is no such participant."),
    "ENR-UNKNOWN-SITE": _("The study has no such site."),
    "ENR-WAITING-TIME": _("It is too early for a new screening."),
}

_GOVERNANCE: Mapping[str, Promise] = {
    "GOV-ADMINISTRATOR": _("The study definition has no administrator."),
    "GOV-AMEND-FAULTS": _("The study definition has faults."),
    "GOV-AMEND-FORM": _("What was sent is no study definition."),
    "GOV-AMEND-NOTHING": _("The version is the one before it."),
    "GOV-AMEND-OBSTACLE": _("A trial under way cannot take some of the changes."),
    "GOV-AMEND-VERSION": _("There is a version with this number already."),
    "GOV-BLOT-PLACE": _("There is no free text there that you see."),
    "GOV-BLOT-REASON": _("To blot something out needs a reason."),
    "GOV-BLOT-REPEATED": _("The reason repeats what is to be blotted out, and would keep it."),
    "GOV-BLOT-WORDS": _("Mark the words that are to go, or the whole text."),
    "GOV-HELD": _("The account holds the role already."),
    "GOV-LAST-ADMINISTRATOR": _("This is the last administrator of the trial."),
    "GOV-LOCKED": _("The database is locked already."),
    "GOV-NEXT-DUE": _("The day of the next review is over."),
    "GOV-NOT-HELD": _("The account does not hold this role."),
    "GOV-NOT-OPEN": _("The trial is not open yet."),
    "GOV-OPEN": _("The trial is open already."),
    "GOV-SCOPE": _("The role needs a site, or spans the trial and has none."),
    "GOV-SITE-STATE": _("The site's state does not allow this."),
    "GOV-UNKNOWN-ROLE": _("The study has no such role."),
    "GOV-UNKNOWN-SITE": _("The study has no such site."),
    "GOV-VERSION": _("The version does not follow on the one that holds at the site."),
}

_READING_AND_SAFETY: Mapping[str, Promise] = {
    "IMG-CAUSE": _("The cause is none of those that the study names."),
    "IMG-DUPLICATE": _("There is a scan of this encounter already."),
    "IMG-ENCOUNTER": _("No scan is planned at this encounter."),
    "IMG-FILE-HASH": _("What is said of the file is no hash."),
    "IMG-NONE": _("The study has no central reading."),
    "IMG-SAME-READER": _("You read this scan already: readings are independent."),
    "IMG-SCAN": _("The scan is not waiting to be checked."),
    "IMG-TASK": _("The task is not open."),
    "SAF-CLOCK": _("No such clock runs for this event."),
    "SAF-NOT-SERIOUS": _("The event is not serious."),
    "SAF-TIME": _("The time of the report cannot be right."),
    "SAF-UNKNOWN-EVENT": _("There is no such adverse event."),
}

_SUPPLY: Mapping[str, Promise] = {
    "SUP-DUPLICATE": _("There is a unit for this encounter already."),
    "SUP-ENCOUNTER": _("The product is not given at this encounter."),
    "SUP-EXPIRED": _("The lot is too old."),
    "SUP-IDENTITY": _("The unit was made for another participant. Do not give it."),
    "SUP-KIND": _("The product is not made from a participant."),
    "SUP-LOT": _("The participant has a lot already."),
    "SUP-LOT-STATE": _("The lot's state does not allow this."),
    "SUP-PRODUCT": _("The study has no such product."),
    "SUP-REASON": _("The lot has its record already; a change needs a reason."),
    "SUP-RELEASE": _("The lot does not meet every release criterion."),
    "SUP-UNIT": _("The unit's state does not allow this, or there is no such unit."),
}

_EXCHANGE: Mapping[str, Promise] = {
    "E2B-MASKED": _("The data that you see hold no allocation: the report can be made blinded only."),
    "E2B-NUMBER": _("The number of the report becomes too long. Take a shorter identifier of the sender."),
    "EXTRA-MISSING": _("A part of the program is not installed here. Ask whoever runs the clinic."),
    "FOLDER-DAMAGED": _("The zip is damaged. Zip the study folder anew."),
    "FOLDER-ENCRYPTED": _("The zip is encrypted. Zip the study folder without a password."),
    "FOLDER-LINK": _("The zip holds what is no file. Zip the study folder anew, with nothing else in it."),
    "FOLDER-METHOD": _("The zip is compressed in a way that is not read here."),
    "FOLDER-NO-ZIP": _("The file is no zip, or is cut short. Zip the study folder anew."),
    "FOLDER-PATH": _("A name in the zip is none that a study folder has."),
    "FOLDER-TOO-LARGE": _("The zip holds more than a study folder does."),
    "FOLDER-TWICE": _("The zip holds two files of one name."),
    "PACKAGE-CLOSED": _("The trial is still masked, and the package would tell the arms."),
    "RESULTS-NONE": _("Nobody took part in the trial: there are no results."),
}

BY_CODE: Mapping[str, Promise] = {
    **_ACCESS,
    **_ALLOCATION,
    **_CAPTURE,
    **_CODING,
    **_CONDUCT,
    **_ENROLMENT,
    **_GOVERNANCE,
    **_READING_AND_SAFETY,
    **_SUPPLY,
    **_EXCHANGE,
}

_ROOMS = frozenset(code.partition("-")[0] for code in BY_CODE)

BY_ENDING: Mapping[str, Promise] = {
    "CHECK": _("Answers of the form contradict each other."),
    "DATE": _("The day does not fit, or is in the future."),
    "TEXT": _("A field is empty."),
    "VALUE": _("Items of the form are at fault."),
}
"""For codes that several rooms have, by what stands after the room."""


def words_of_refusal(code: str) -> str:
    """Return what a code of a room means in the reader's language; empty for a reader of English."""
    if (get_language() or "en").startswith("en"):
        return ""
    room, _hyphen, ending = code.partition("-")
    general = BY_ENDING.get(ending) if room in _ROOMS else None
    return str(BY_CODE.get(code) or general or "")
