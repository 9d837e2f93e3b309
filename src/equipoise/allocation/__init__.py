"""Randomisation, the sealed list, and emergency unmasking."""
