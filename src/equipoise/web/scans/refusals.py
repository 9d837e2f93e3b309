"""Why a file is not taken in; nothing of what the file holds is repeated."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext as _

from equipoise.access.refusal import Refusal

_NAMED_MAX = 12


class Unreadable(Exception):
    """A file that is not what its first bytes say: cut short, contradicting itself, or of another kind."""


def not_a_scan(what: str) -> Refusal:
    """Return the refusal of a file that is none of the kinds that are taken."""
    sentence = _("The file is not a scan that can be taken: %(what)s.") % {"what": what}
    remedy = _(
        "Send an uncompressed or JPEG-compressed DICOM image, a ZIP of such images without folders, or a"
        " NIfTI file (.nii or .nii.gz)."
    )
    return Refusal("WEB-FILE-TYPE", sentence, remedy)


def too_much() -> Refusal:
    """Return the refusal of a file that unpacks to more than a scan is."""
    sentence = _("The file unpacks to more than can be taken.")
    return Refusal("WEB-FILE-TOO-MUCH", sentence, _("Send the images of one scan only."))


def identifies(found: Sequence[str]) -> Refusal:
    """Return the refusal of a file in which is what could tell whose it is."""
    sentence = _("The file still holds what may tell whose the scan is, or where it was made.")
    remedy = _(
        "Pseudonymise it with the imaging centre's tool (DICOM PS3.15, Annex E, Basic Profile; private"
        " elements removed), then send it again. As name and number of the patient, the participant's code"
        " may stay: it is taken out here."
    )
    return Refusal("WEB-FILE-IDENTITY", sentence, remedy, tuple(found[:_NAMED_MAX]))


def dates(found: Sequence[str]) -> Refusal:
    """Return the refusal of a file that tells when the scan was made."""
    sentence = _("The file tells when the scan was made, which whoever reads it must not learn.")
    remedy = _(
        "Take the dates out with the imaging centre's tool (DICOM PS3.15, Annex E, without the options that"
        " retain dates), then send it again. The day of the scan is what you fill in here."
    )
    return Refusal("WEB-FILE-DATES", sentence, remedy, tuple(found[:_NAMED_MAX]))


def texts(found: Sequence[str]) -> Refusal:
    """Return the refusal of a NIfTI file whose header holds free text."""
    sentence = _("The header of the file holds text, which may tell whose the scan is or when it was made.")
    remedy = _(
        "Empty these fields and remove the extensions, for example with nifti_tool (-mod_hdr -mod_field"
        ' descrip "", and -rm_ext ALL). Then send it again.'
    )
    return Refusal("WEB-FILE-TEXT", sentence, remedy, tuple(found))


def of_another() -> Refusal:
    """Return the refusal of a file that bears another code than the participant's."""
    sentence = _("The patient's name or number in the file is not this participant's code.")
    remedy = _("Check that it is the right file; then write the participant's code there, or nothing.")
    return Refusal("WEB-FILE-PARTICIPANT", sentence, remedy)


def changed() -> Refusal:
    """Return the refusal of a stored file that is gone, or not what was recorded."""
    sentence = _("The stored file is missing, or is not the one that was recorded.")
    remedy = _("Tell the administrator: it has to be restored from a backup, or sent again by the site.")
    return Refusal("WEB-FILE-CHANGED", sentence, remedy)
