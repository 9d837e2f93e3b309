"""The steps that make a vault's database."""
