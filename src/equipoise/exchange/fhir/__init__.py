"""FHIR R5: the study and what was recorded of it as a bundle, and a bundle as the draft of a study folder."""

from equipoise.exchange.fhir.check import check_bundle
from equipoise.exchange.fhir.read import FhirDraft, read_fhir
from equipoise.exchange.fhir.write import fhir_ndjson, fhir_text, write_fhir

__all__ = ["FhirDraft", "check_bundle", "fhir_ndjson", "fhir_text", "read_fhir", "write_fhir"]
