"""The parts of a study definition: one module for each file of the study folder."""
