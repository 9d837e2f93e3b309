"""How many participants a study needs, from what its definition assumes, and the report that says so."""
