"""The files of scans: what is taken in, what must not be in them, and how they are kept."""
