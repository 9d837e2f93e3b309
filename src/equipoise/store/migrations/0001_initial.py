"""The tables of a trial's database."""

from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="AssessmentRowRecord",
            fields=[
                ("participant", models.TextField()),
                ("screening", models.BigIntegerField()),
                ("assessed_on", models.TextField()),
                ("outcome", models.TextField()),
                ("variant", models.TextField(null=True)),
                ("definition", models.TextField()),
                ("criteria", models.TextField()),
                ("position", models.BigIntegerField()),
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "participant",
                        "screening",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
            ],
            options={
                "db_table": "eligibility_assessment",
            },
        ),
        migrations.CreateModel(
            name="ClockRowRecord",
            fields=[
                ("participant", models.TextField()),
                ("row", models.BigIntegerField()),
                ("clock", models.TextField()),
                ("started_at", models.TextField()),
                ("due_at", models.TextField()),
                ("status", models.TextField()),
                ("submitted_at", models.TextField(null=True)),
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "participant",
                        "row",
                        "clock",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
            ],
            options={
                "db_table": "safety_clock",
            },
        ),
        migrations.CreateModel(
            name="CodingRowRecord",
            fields=[
                ("participant", models.TextField()),
                ("form", models.TextField()),
                ("encounter", models.TextField()),
                ("row", models.BigIntegerField()),
                ("item", models.TextField()),
                ("verbatim", models.TextField()),
                ("dictionary", models.TextField()),
                ("version", models.TextField()),
                ("levels", models.TextField()),
                ("codes", models.TextField()),
                ("terms", models.TextField()),
                ("automatic", models.BooleanField()),
                ("coded_by", models.TextField()),
                ("coded_at", models.TextField()),
                ("position", models.BigIntegerField()),
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "participant",
                        "form",
                        "encounter",
                        "row",
                        "item",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
            ],
            options={
                "db_table": "coding",
            },
        ),
        migrations.CreateModel(
            name="CommitmentRowRecord",
            fields=[
                ("method", models.TextField(primary_key=True, serialize=False)),
                ("commitment", models.TextField()),
                ("committed_at", models.TextField()),
                ("revealed_at", models.TextField(null=True)),
            ],
            options={
                "db_table": "allocation_commitment",
            },
        ),
        migrations.CreateModel(
            name="DefinitionRecord",
            fields=[
                ("hash", models.TextField(primary_key=True, serialize=False)),
                ("canonical", models.TextField()),
            ],
            options={
                "db_table": "study_definition",
            },
        ),
        migrations.CreateModel(
            name="DictionaryPathRecord",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "dictionary", "number", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("dictionary", models.SmallIntegerField()),
                ("number", models.IntegerField()),
                ("levels", models.TextField()),
            ],
            options={
                "db_table": "dictionary_path",
            },
        ),
        migrations.CreateModel(
            name="DictionaryRecord",
            fields=[
                ("id", models.SmallIntegerField(primary_key=True, serialize=False)),
                ("sha256", models.TextField(unique=True)),
                ("counts", models.TextField()),
            ],
            options={
                "db_table": "dictionary_content",
            },
        ),
        migrations.CreateModel(
            name="DictionaryRowRecord",
            fields=[
                ("dictionary", models.TextField()),
                ("version", models.TextField()),
                ("sha256", models.TextField()),
                ("counts", models.TextField()),
                ("added_at", models.TextField()),
                ("position", models.BigIntegerField()),
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "dictionary", "version", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
            ],
            options={
                "db_table": "dictionary",
            },
        ),
        migrations.CreateModel(
            name="DictionaryWordRecord",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "dictionary",
                        "word",
                        "code",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("dictionary", models.SmallIntegerField()),
                ("word", models.BinaryField()),
                ("code", models.TextField()),
            ],
            options={
                "db_table": "dictionary_word",
            },
        ),
        migrations.CreateModel(
            name="EncounterRowRecord",
            fields=[
                ("participant", models.TextField()),
                ("encounter", models.TextField()),
                ("status", models.TextField()),
                ("took_place_on", models.TextField(null=True)),
                ("days_off", models.BigIntegerField()),
                ("cause", models.TextField(null=True)),
                ("definition", models.TextField()),
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "participant",
                        "encounter",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
            ],
            options={
                "db_table": "encounter",
            },
        ),
        migrations.CreateModel(
            name="EntryRecord",
            fields=[
                ("position", models.BigIntegerField(primary_key=True, serialize=False)),
                ("previous", models.TextField()),
                ("hash", models.TextField(unique=True)),
                ("body", models.TextField()),
            ],
            options={
                "db_table": "ledger",
            },
        ),
        migrations.CreateModel(
            name="EventRowRecord",
            fields=[
                ("participant", models.TextField()),
                ("row", models.BigIntegerField()),
                ("serious", models.BooleanField()),
                ("related", models.BooleanField()),
                ("unexpected", models.BooleanField()),
                ("aware_at", models.TextField(null=True)),
                ("sponsor_related", models.BooleanField(null=True)),
                ("sponsor_expected", models.BooleanField(null=True)),
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "participant", "row", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
            ],
            options={
                "db_table": "adverse_event",
            },
        ),
        migrations.CreateModel(
            name="FreezeRowRecord",
            fields=[
                ("participant", models.TextField(primary_key=True, serialize=False)),
                ("frozen_at", models.TextField()),
            ],
            options={
                "db_table": "freeze",
            },
        ),
        migrations.CreateModel(
            name="GrantRowRecord",
            fields=[
                ("account", models.TextField()),
                ("role", models.TextField()),
                ("site", models.TextField()),
                ("granted_at", models.TextField()),
                ("revoked_at", models.TextField(null=True)),
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "account",
                        "role",
                        "site",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
            ],
            options={
                "db_table": "role_grant",
            },
        ),
        migrations.CreateModel(
            name="HeadRecord",
            fields=[
                ("id", models.SmallIntegerField(primary_key=True, serialize=False)),
                ("position", models.BigIntegerField()),
                ("hash", models.TextField()),
            ],
            options={
                "db_table": "ledger_head",
            },
        ),
        migrations.CreateModel(
            name="IdentityRowRecord",
            fields=[
                ("participant", models.TextField(primary_key=True, serialize=False)),
                ("status", models.TextField()),
            ],
            options={
                "db_table": "identity",
            },
        ),
        migrations.CreateModel(
            name="LogRowRecord",
            fields=[
                ("participant", models.TextField()),
                ("form", models.TextField()),
                ("through", models.TextField()),
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "participant", "form", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
            ],
            options={
                "db_table": "log_review",
            },
        ),
        migrations.CreateModel(
            name="LotRowRecord",
            fields=[
                ("lot", models.TextField(primary_key=True, serialize=False)),
                ("participant", models.TextField()),
                ("product", models.TextField()),
                ("status", models.TextField()),
                ("collected_on", models.TextField()),
                ("source_values", models.TextField()),
                ("manufacture_values", models.TextField()),
                ("made_on", models.TextField(null=True)),
                ("decided_on", models.TextField(null=True)),
                ("cause", models.TextField(null=True)),
            ],
            options={
                "db_table": "lot",
            },
        ),
        migrations.CreateModel(
            name="ParticipantRowRecord",
            fields=[
                ("participant", models.TextField(primary_key=True, serialize=False)),
                ("site", models.TextField()),
                ("status", models.TextField()),
                ("consent_version", models.TextField()),
                ("consented_on", models.TextField()),
                ("consented_under", models.TextField()),
                ("screening", models.BigIntegerField()),
                ("variant", models.TextField(null=True)),
                ("ended_on", models.TextField(null=True)),
                ("end_scope", models.TextField(null=True)),
                ("end_cause", models.TextField(null=True)),
            ],
            options={
                "db_table": "participant",
            },
        ),
        migrations.CreateModel(
            name="QueryRowRecord",
            fields=[
                ("query", models.TextField(primary_key=True, serialize=False)),
                ("participant", models.TextField()),
                ("form", models.TextField()),
                ("encounter", models.TextField()),
                ("row", models.BigIntegerField()),
                ("item", models.TextField(null=True)),
                ("text", models.TextField()),
                ("status", models.TextField()),
                ("origin", models.TextField()),
                ("opened_by", models.TextField()),
                ("opened_at", models.TextField()),
                ("answer", models.TextField(null=True)),
                ("unmasking", models.BooleanField()),
            ],
            options={
                "db_table": "query",
            },
        ),
        migrations.CreateModel(
            name="ReceiptRecord",
            fields=[
                ("key", models.TextField(primary_key=True, serialize=False)),
                ("said", models.TextField()),
                ("position", models.BigIntegerField()),
                ("entries", models.BigIntegerField()),
                ("recorded_at", models.TextField()),
            ],
            options={
                "db_table": "receipt",
            },
        ),
        migrations.CreateModel(
            name="RecordRowRecord",
            fields=[
                ("participant", models.TextField()),
                ("form", models.TextField()),
                ("encounter", models.TextField()),
                ("row", models.BigIntegerField()),
                ("dated", models.TextField(null=True)),
                ("item_values", models.TextField()),
                ("entered", models.TextField()),
                ("verified", models.TextField()),
                ("removed", models.BooleanField()),
                ("hidden", models.TextField()),
                ("unmasking", models.BooleanField()),
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "participant",
                        "form",
                        "encounter",
                        "row",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
            ],
            options={
                "db_table": "form_record",
            },
        ),
        migrations.CreateModel(
            name="RevealedRowRecord",
            fields=[
                ("participant", models.TextField(primary_key=True, serialize=False)),
                ("arm", models.TextField()),
            ],
            options={
                "db_table": "revealed_allocation",
            },
        ),
        migrations.CreateModel(
            name="ScanRowRecord",
            fields=[
                ("scan", models.TextField(primary_key=True, serialize=False)),
                ("participant", models.TextField()),
                ("encounter", models.TextField()),
                ("acquired_on", models.TextField()),
                ("status", models.TextField()),
                ("cause", models.TextField(null=True)),
            ],
            options={
                "db_table": "scan",
            },
        ),
        migrations.CreateModel(
            name="SignatureRowRecord",
            fields=[
                ("position", models.BigIntegerField(primary_key=True, serialize=False)),
                ("participant", models.TextField()),
                ("account", models.TextField()),
                ("meaning", models.TextField()),
                ("signed_at", models.TextField()),
                ("signed_hash", models.TextField()),
                ("masked", models.BooleanField()),
            ],
            options={
                "db_table": "signature",
            },
        ),
        migrations.CreateModel(
            name="SiteRowRecord",
            fields=[
                ("site", models.TextField(primary_key=True, serialize=False)),
                ("status", models.TextField()),
                ("approved_on", models.TextField()),
                ("definition", models.TextField()),
            ],
            options={
                "db_table": "site",
            },
        ),
        migrations.CreateModel(
            name="SiteVersionRowRecord",
            fields=[
                ("site", models.TextField()),
                ("number", models.BigIntegerField()),
                ("approved_on", models.TextField(null=True)),
                ("recorded_at", models.TextField()),
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "site", "number", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
            ],
            options={
                "db_table": "site_version",
            },
        ),
        migrations.CreateModel(
            name="TrialRowRecord",
            fields=[
                ("study", models.TextField(primary_key=True, serialize=False)),
                ("definition", models.TextField()),
                ("mode", models.TextField()),
                ("status", models.TextField()),
                ("opened_at", models.TextField()),
                ("locked_at", models.TextField(null=True)),
                ("locked_position", models.BigIntegerField(null=True)),
                ("unblinded_at", models.TextField(null=True)),
            ],
            options={
                "db_table": "trial",
            },
        ),
        migrations.CreateModel(
            name="UnblindingRowRecord",
            fields=[
                ("position", models.BigIntegerField(primary_key=True, serialize=False)),
                ("participant", models.TextField()),
                ("kind", models.TextField()),
                ("account", models.TextField()),
                ("cause", models.TextField(null=True)),
                ("happened_at", models.TextField()),
            ],
            options={
                "db_table": "unblinding",
            },
        ),
        migrations.CreateModel(
            name="UnitRowRecord",
            fields=[
                ("unit", models.TextField(primary_key=True, serialize=False)),
                ("product", models.TextField()),
                ("participant", models.TextField()),
                ("encounter", models.TextField()),
                ("lot", models.TextField(null=True)),
                ("status", models.TextField()),
                ("prepared_on", models.TextField()),
                ("given_on", models.TextField(null=True)),
                ("item_values", models.TextField(null=True)),
                ("cause", models.TextField(null=True)),
            ],
            options={
                "db_table": "unit",
            },
        ),
        migrations.CreateModel(
            name="AllocationRowRecord",
            fields=[
                ("participant", models.TextField(primary_key=True, serialize=False)),
                ("number", models.TextField()),
                ("stratum", models.TextField()),
                ("slot", models.BigIntegerField()),
                ("levels", models.TextField()),
                ("randomised_on", models.TextField()),
                ("randomised_at", models.TextField()),
                ("commitment", models.TextField()),
            ],
            options={
                "db_table": "allocation",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("stratum", "slot"), name="allocation_unique_stratum_slot"
                    ),
                    models.UniqueConstraint(fields=("number",), name="allocation_unique_number"),
                ],
            },
        ),
        migrations.CreateModel(
            name="DictionaryTermRecord",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "dictionary", "code", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("dictionary", models.SmallIntegerField()),
                ("code", models.TextField()),
                ("level", models.TextField()),
                ("text", models.TextField()),
                ("folded", models.BinaryField()),
                ("size", models.IntegerField()),
                ("is_current", models.BooleanField()),
                ("path", models.IntegerField()),
            ],
            options={
                "db_table": "dictionary_term",
                "indexes": [models.Index(fields=["dictionary", "folded"], name="dictionary_term_folded")],
            },
        ),
        migrations.CreateModel(
            name="ReadingRowRecord",
            fields=[
                ("scan", models.TextField(primary_key=True, serialize=False)),
                ("participant", models.TextField()),
                ("encounter", models.TextField()),
                ("acquired_on", models.TextField()),
                ("how", models.TextField()),
                ("item_values", models.TextField()),
                ("recorded_at", models.TextField()),
                ("position", models.BigIntegerField()),
            ],
            options={
                "db_table": "reading",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("participant", "encounter"), name="reading_unique_participant_encounter"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="TaskRowRecord",
            fields=[
                ("task", models.TextField(primary_key=True, serialize=False)),
                ("scan", models.TextField()),
                ("slot", models.BigIntegerField()),
                ("status", models.TextField()),
                ("account", models.TextField(null=True)),
                ("item_values", models.TextField(null=True)),
            ],
            options={
                "db_table": "reading_task",
                "constraints": [
                    models.UniqueConstraint(fields=("scan", "slot"), name="reading_task_unique_scan_slot"),
                    models.UniqueConstraint(
                        fields=("scan", "account"), name="reading_task_unique_scan_account"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="VersionRowRecord",
            fields=[
                ("definition", models.TextField(primary_key=True, serialize=False)),
                ("number", models.BigIntegerField()),
                ("study_version", models.TextField()),
                ("title", models.TextField()),
                ("substantial", models.BooleanField()),
                ("reconsent", models.BooleanField()),
                ("recorded_at", models.TextField()),
            ],
            options={
                "db_table": "study_version",
                "constraints": [
                    models.UniqueConstraint(fields=("number",), name="study_version_unique_number"),
                    models.UniqueConstraint(
                        fields=("study_version",), name="study_version_unique_study_version"
                    ),
                ],
            },
        ),
    ]
