"""The clinic: the web application that a trial is run with."""
