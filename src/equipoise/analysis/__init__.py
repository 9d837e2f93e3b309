"""Analysis sets, models, testing procedure, tables and figures: pure functions of a data cut."""
