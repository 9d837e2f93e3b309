"""The study definition: the protocol that a study folder compiles to, validated, frozen and hashed."""
