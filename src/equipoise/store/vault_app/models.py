"""What a vault's database holds: names in clear, everything else encrypted."""

from __future__ import annotations

from django.db import models


class SealedRecord(models.Model):
    """One sealed record; `name` says what it is for and is authenticated with the ciphertext."""

    name: models.TextField[str, str] = models.TextField(primary_key=True)
    nonce: models.BinaryField[bytes, bytes] = models.BinaryField()
    ciphertext: models.BinaryField[bytes, bytes] = models.BinaryField()

    class Meta:
        db_table = "sealed_record"
