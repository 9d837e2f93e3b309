"""The running of the trial as a whole: its opening, roles, sites, lock and published heads."""
