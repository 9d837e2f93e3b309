"""USDM 4.0, CDISC's Unified Study Definitions Model: a study definition written, and a draft read."""

from equipoise.exchange.usdm.read import ReadStudy, read_usdm
from equipoise.exchange.usdm.write import usdm_text, write_usdm
from equipoise.exchange.usdm.write_amendments import Amendment, amendments_of

__all__ = ["Amendment", "ReadStudy", "amendments_of", "read_usdm", "usdm_text", "write_usdm"]
