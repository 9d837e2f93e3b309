"""Exports: the trial in the forms that others read, as the role sees it, made as a long work."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, cast

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from equipoise.access.content import Audience
from equipoise.access.refusal import Refusal, Refused
from equipoise.analysis.cut import is_closed
from equipoise.conduct.view import MaskedView, UnmaskedView
from equipoise.definition.model.definition import StudyDefinition
from equipoise.exchange.formats import FORMATS, TABLES, FormatName, FormName, Source
from equipoise.exchange.made import Content, MadeFile, NotWritten
from equipoise.exchange.registry.write_results import ResultsRefused
from equipoise.ledger.entry import Head, utc_text
from equipoise.web.clinic import Clinic
from equipoise.web.request import ClinicRequest
from equipoise.web.visible import Kinds, shows_arms
from equipoise.web.works import Work
from equipoise.web.zips import MANIFEST, manifest_of, zip_of

TITLES: Mapping[FormatName, str] = {
    "ctgov": "ClinicalTrials.gov, API v2",
    "usdm": "CDISC USDM 4.0",
    "odm132": "CDISC ODM 1.3.2",
    "odm2": "CDISC ODM 2.0",
    "sdtm": "CDISC SDTM",
    "adam": "CDISC ADaM",
    "fhir": "HL7 FHIR R5",
    "e2b": "ICH E2B(R3)",
}
"""What the standards are called, in every language."""

_WORDS: Mapping[FormatName, Promise] = {
    "report": gettext_lazy("Report"),
    "package": gettext_lazy("Results package"),
}

EXPLANATIONS: Mapping[FormatName, Promise] = {
    "ctgov": gettext_lazy("The registry's record, with the results."),
    "usdm": gettext_lazy("The protocol for a machine, with its amendments and since when they hold."),
    "odm132": gettext_lazy(
        "All forms with their values, audit records, queries and signatures, in one file."
    ),
    "odm2": gettext_lazy("All forms with their values, audit records, queries and signatures, in one file."),
    "sdtm": gettext_lazy("Tabulation datasets with Define-XML."),
    "adam": gettext_lazy("Analysis datasets with Define-XML."),
    "fhir": gettext_lazy("Study, participants, encounters, answers and adverse events as one bundle."),
    "report": gettext_lazy("Tables, listings by participant, and figures."),
    "package": gettext_lazy("Report, datasets and definition, with the hash of every file."),
}
"""What a trial's data in a format are."""

_FORM_WORDS: Mapping[FormName, str] = {
    "json": "JSON",
    "ndjson": "NDJSON",
    "xpt": "SAS XPT",
    "parquet": "Parquet",
    "csv": "CSV",
    "html": "HTML",
    "rtf": "RTF",
    "pdf": "PDF",
    "xml": "XML",
    "zip": "ZIP",
}

WHO = Kinds(
    tuple(dict.fromkeys(kind for each in FORMATS.values() if "trial" in each.of for kind in each.takers))
)
"""Who may take the data of a trial in some format."""


def title_of(name: FormatName) -> str:
    """Return what a format is called."""
    return TITLES.get(name) or str(_WORDS[name])


def word_of_form(name: FormatName, form: FormName) -> str:
    """Return what a form of a format is called; datasets have a JSON of their own (CDISC Dataset-JSON)."""
    of_datasets = FORMATS[name].forms == TABLES and form.endswith("json")
    return f"Dataset-{_FORM_WORDS[form]}" if of_datasets else _FORM_WORDS[form]


def words_of_export(name: FormatName, form: FormName) -> str:
    """Return what an export is called: its format, and its form where there are several."""
    forms = FORMATS[name].forms
    return f"{title_of(name)}, {word_of_form(name, form)}" if len(forms) > 1 else title_of(name)


# -- who takes what


def takes_closed(clinic: Clinic, seen: MaskedView | UnmaskedView) -> bool:
    """Tell whether what a viewer takes has the arms of a trial in it that is still masked for others."""
    return is_closed(clinic.definition.study, clinic.row.unblinded_at, shows_arms=shows_arms(seen))


def needs_all_data(seen: MaskedView | UnmaskedView) -> Refusal | None:
    """Refuse to whoever does not see the data of all sites, central readings included."""
    wanted = {Audience.CONDUCT, Audience.READING}
    if isinstance(seen, UnmaskedView):
        wanted.add(Audience.UNMASKED)
    if seen.viewer.site is None and wanted <= seen.viewer.audiences:
        return None
    sentence = _("The role %(role)s does not see the data of all sites.") % {"role": seen.viewer.role.id}
    return Refusal("ACC-UNSEEN", sentence, _("Ask somebody whose role does."))


def formats_for(clinic: Clinic, seen: MaskedView | UnmaskedView) -> tuple[FormatName, ...]:
    """Return the formats in which a viewer may take the trial now.

    A registry record has data in it once there are results; a package is made to be passed on, and has none
    of the arms while they are closed.
    """
    if needs_all_data(seen) is not None:
        return ()
    later = set()
    if clinic.row.locked_at is None or clinic.row.unblinded_at is None:
        later.add("ctgov")
    if takes_closed(clinic, seen):
        later.add("package")
    kind = seen.viewer.role.kind
    return tuple(
        name
        for name, each in FORMATS.items()
        if "trial" in each.of and kind in each.takers and name not in later
    )


def read_export_arguments(request: ClinicRequest) -> dict[str, Any]:
    """Return the format and the form that are asked for; raises Refused for those that are not to be had."""
    name, form = request.POST.get("format", ""), request.POST.get("form", "")
    if not any(name == known and form in each.forms for known, each in FORMATS.items()):
        sentence = _("There is no such format, or it has no such form.")
        raise Refused(Refusal("EXPORT-FORM", sentence, _("Choose one of the list.")))
    if name not in formats_for(request.clinic, request.seen):
        sentence = _("The role %(role)s does not take the trial in this format now.")
        sentence %= {"role": request.seen.viewer.role.id}
        raise Refused(Refusal("ACC-EXPORT", sentence, _("Choose one of those that the page offers.")))
    return {"format": name, "form": form}


# -- making it


def make_export(work: Work) -> str | Refusal:
    """Make the files of a format: one as it is, several in a zip with a manifest.

    The data are those at the position at which the work begins.
    """
    name, form = cast(FormatName, work.arguments["format"]), cast(FormName, work.arguments["form"])
    chosen, clinic = FORMATS[name], work.clinic
    try:
        with clinic.trial.reading():
            seen, head, definition = work.seen, work.seen.head(), clinic.definition
            closed = takes_closed(clinic, seen)
            files = chosen.make(
                Source(
                    load=lambda: definition,
                    moment=moment_of(clinic),
                    seen=seen,
                    position=head.position,
                    progress=work.be_at,
                ),
                form,
            )
        work.is_of(head)
        if chosen.single:
            work.write(next(iter(files)).content)
        else:
            work.write(_zipped(work, definition, head, files, closed=closed))
    except (NotWritten, ResultsRefused) as refused:
        return Refusal(refused.code, refused.sentence, "")
    # A form of several files is packed; its name is in the name of the pack.
    kind, ending = (name, form) if chosen.single else (f"{name}-{form}", "zip")
    word = "closed-" if closed else "" if shows_arms(seen) else "masked-"
    return f"{definition.study.id}-{kind}-{word}{head.position}.{ending}"


def _zipped(
    work: Work, definition: StudyDefinition, head: Head, files: Iterable[MadeFile], *, closed: bool
) -> bytes:
    made = {file.path: whole(file.content) for file in files}
    about = {"format": work.arguments["format"], "form": work.arguments["form"], "closed": closed}
    made[MANIFEST] = manifest_of(definition, work.actor, head, made, about)
    return zip_of(made)


def whole(content: Content) -> bytes:
    """Return the content of a file in one piece."""
    return content if isinstance(content, bytes) else b"".join(content)


def moment_of(clinic: Clinic) -> str:
    """Return the moment of an export, as files say it."""
    return utc_text(clinic.now().replace(microsecond=0))
