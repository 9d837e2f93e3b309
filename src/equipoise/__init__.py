"""Equipoise: write the protocol once; rehearse the trial, run it, report it."""

__version__ = "0.1.0"
