"""The Study Data Tabulation Model: a data cut as datasets of SDTMIG 3.4."""

from equipoise.exchange.sdtm.coverage import HELD, LEFT_OUT
from equipoise.exchange.sdtm.package import sdtm_package

__all__ = ["HELD", "LEFT_OUT", "sdtm_package"]
