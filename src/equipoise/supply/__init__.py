"""The investigational product, from its release to the participant who receives it."""
