"""The tables of the register of identities."""

# ruff: noqa: D101, RUF012
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="SealedIdentity",
            fields=[
                ("name", models.TextField(primary_key=True, serialize=False)),
                ("nonce", models.BinaryField()),
                ("ciphertext", models.BinaryField()),
            ],
            options={
                "db_table": "sealed_identity",
            },
        ),
    ]
