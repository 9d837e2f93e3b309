"""The trial: the one write path, and the one place where reading starts."""
