"""Consent, screening, eligibility, withdrawal and completion of participants."""
