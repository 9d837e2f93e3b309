"""The Study Data Tabulation Model, as the guide for human trials tables it."""
