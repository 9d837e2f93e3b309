"""The report of an analysis: one HTML file that holds all it needs, the same bytes for the same result."""
