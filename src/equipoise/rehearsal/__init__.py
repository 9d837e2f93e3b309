"""Whole simulated trials, conducted through the same write path that the clinic uses."""
