"""What is used most, timed against the least that could do the same."""
