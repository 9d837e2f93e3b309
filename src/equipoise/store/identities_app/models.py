"""What the register of identities holds: participant codes in clear, everything else encrypted."""

from __future__ import annotations

from django.db import models


class SealedIdentity(models.Model):
    """One participant's identity; `name` is their code and is authenticated with the ciphertext."""

    name: models.TextField[str, str] = models.TextField(primary_key=True)
    nonce: models.BinaryField[bytes, bytes] = models.BinaryField()
    ciphertext: models.BinaryField[bytes, bytes] = models.BinaryField()

    class Meta:
        db_table = "sealed_identity"
