"""The JSON interface of the clinic: the same commands and reads as the pages, for programs."""
