"""Many small count regressions at once, and trials simulated and fitted by the hundred thousand."""
