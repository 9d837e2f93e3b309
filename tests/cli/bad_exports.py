"""Bad inputs for `equipoise export` and `equipoise import`: cases as in bad_inputs.py."""

from pathlib import Path

from tests.cli.bad_inputs import MANAGER, case, study, trial, written


def out(folder: Path) -> list[str]:
    return ["--out", str(folder / "made")]


@case
def export_of_a_missing_study(folder: Path) -> list[str]:
    return ["export", str(folder / "nowhere"), "--format", "usdm", *out(folder)]


@case
def export_of_a_study_as_data(folder: Path) -> list[str]:
    return ["export", str(study(folder)), "--format", "sdtm", *out(folder)]


@case
def export_of_a_study_with_errors(folder: Path) -> list[str]:
    written(study(folder) / "eligibility.yaml", b"criteria: 3")
    return ["export", str(folder / "dipper"), "--format", "odm2", *out(folder)]


@case
def export_in_a_form_that_the_format_has_not(folder: Path) -> list[str]:
    return ["export", str(trial(folder)), "--format", "usdm", "--as", "xpt", *out(folder)]


@case
def export_of_no_event(folder: Path) -> list[str]:
    return ["export", str(trial(folder)), "--format", "e2b", *out(folder)]


PARTIES = ["--sender", "SENDER", "--receiver", "RECEIVER"]


@case
def export_of_an_event_to_nobody(folder: Path) -> list[str]:
    return ["export", str(trial(folder)), "--format", "e2b", "--event", "NZ01-001:1", *out(folder)]


@case
def export_of_an_event_that_is_not_there(folder: Path) -> list[str]:
    event = ["--event", "NZ01-001:99", *PARTIES]
    return ["export", str(trial(folder)), "--format", "e2b", *event, *out(folder)]


@case
def export_of_a_half(folder: Path) -> list[str]:
    path = trial(folder)
    content = path.read_bytes()
    return ["export", written(path, content[: len(content) // 2]), "--format", "adam", *out(folder)]


@case
def export_as_nobody(folder: Path) -> list[str]:
    return ["export", str(trial(folder)), "--format", "fhir", "--reader", "eve", *out(folder)]


@case
def export_as_somebody_without_the_role(folder: Path) -> list[str]:
    reader = MANAGER.replace("data_manager:", "eve:", 1)
    return ["export", str(trial(folder)), "--format", "fhir", "--reader", reader, *out(folder)]


@case
def export_over_something_else(folder: Path) -> list[str]:
    return ["export", str(trial(folder)), "--format", "adam", "--as", "csv", "--out", str(folder / "trial")]


@case
def export_into_a_folder_that_is_not_there(folder: Path) -> list[str]:
    return ["export", str(study(folder)), "--format", "usdm", "--out", str(folder / "nowhere" / "made.json")]


@case
def import_of_markup_of_no_kind(folder: Path) -> list[str]:
    return ["import", written(folder / "page.xml", b"<?xml version='1.0'?>\n<html/>"), *out(folder)]


@case
def import_of_markup_with_a_document_type(folder: Path) -> list[str]:
    hostile = b'<!DOCTYPE ODM [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]>\n<ODM>&b;</ODM>'
    return ["import", written(folder / "hostile.xml", hostile), *out(folder)]


@case
def import_of_markup_that_is_cut_off(folder: Path) -> list[str]:
    half = b'<ODM xmlns="http://www.cdisc.org/ns/odm/v1.3" FileOID="x"><Study OID="'
    return ["import", written(folder / "half.xml", half), *out(folder)]


@case
def import_of_a_dataset_that_is_cut_off(folder: Path) -> list[str]:
    half = b'{"datasetJSONVersion": "1.1.0", "name": "DM", "columns": ['
    return ["import", written(folder / "dm.json", half), *out(folder)]


@case
def import_of_a_dataset_whose_name_leads_elsewhere(folder: Path) -> list[str]:
    hostile = (
        b'{"datasetJSONCreationDateTime": "2024-05-01T00:00:00", "datasetJSONVersion": "1.1.0", '
        b'"itemGroupOID": "IG.X", "records": 1, "name": "../../X", "label": "X", "columns": '
        b'[{"itemOID": "IT.A", "name": "A", "label": "A", "dataType": "string"}], "rows": [["1"]]}'
    )
    return ["import", written(folder / "x.json", hostile), *out(folder)]


@case
def import_of_an_archive_that_is_none(folder: Path) -> list[str]:
    return ["import", written(folder / "results.zip", b"PK\x03\x04" + bytes(40)), *out(folder)]


@case
def import_over_something_else(folder: Path) -> list[str]:
    record = b"Study Overview\nBrief Summary\nA study.\n"
    return ["import", written(folder / "page.txt", record), "--out", str(folder / "trial")]
