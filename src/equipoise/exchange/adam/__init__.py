"""The Analysis Data Model: the datasets of the report as those of ADaMIG 1.3."""

from equipoise.exchange.adam.package import adam_package

__all__ = ["adam_package"]
