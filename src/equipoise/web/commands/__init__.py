"""Every command of the trial as a form: one mechanism draws, reads and gives them all."""
