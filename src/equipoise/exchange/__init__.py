"""The trial in the formats that registries, sponsors and regulators exchange."""
