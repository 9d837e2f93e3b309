"""The key of a clinic, which signs its sessions and links: whoever has it can come in as anybody."""

from __future__ import annotations

from equipoise.store.sealing import KeyKind

CLINIC_KEY = KeyKind(
    "CLINIC",
    "clinic's key",
    "the sessions were made with",
    file="clinic.key",
    variable="EQUIPOISE_CLINIC_KEY",
)
