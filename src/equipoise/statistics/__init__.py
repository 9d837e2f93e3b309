"""Models, intervals and multiple testing: arrays in, results out; knows no trial."""
