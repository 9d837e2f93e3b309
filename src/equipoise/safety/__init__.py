"""Adverse events: their judgement, and the clocks of expedited reports."""
