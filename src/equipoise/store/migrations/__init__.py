"""The steps that make a trial's database."""
