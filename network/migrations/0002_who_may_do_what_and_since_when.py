import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

SECRETARIAT = ["directory-officer", "moderator"]


def keep_roles(apps, schema_editor):
    """Turn the one role of a membership into its list. Only demonstrations exist before this migration."""
    for membership in apps.get_model("network", "Membership").objects.all():
        is_secretariat = membership.role == "secretariat"
        membership.roles = SECRETARIAT if is_secretariat else [membership.role]
        membership.save(update_fields=["roles"])


class Migration(migrations.Migration):
    dependencies = [
        ("network", "0001_who_is_who"),
    ]

    operations = [
        migrations.CreateModel(
            name="AuditConcern",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("authority_id", models.UUIDField()),
            ],
        ),
        migrations.CreateModel(
            name="Delegation",
            fields=[
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                ("roles", models.JSONField(default=list)),
                ("from_at", models.DateTimeField()),
                ("until_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
            ],
        ),
        migrations.CreateModel(
            name="Invitation",
            fields=[
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                ("address_index", models.CharField(max_length=64)),
                ("address_sealed", models.BinaryField()),
                ("name", models.CharField(max_length=200)),
                ("office", models.CharField(max_length=200)),
                ("roles", models.JSONField(default=list)),
                ("language", models.CharField(default="en", max_length=10)),
                ("sent_at", models.DateTimeField()),
                ("until_at", models.DateTimeField()),
                ("used_at", models.DateTimeField(null=True)),
                ("withdrawn_at", models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name="OutgoingMail",
            fields=[
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                ("kind", models.CharField(max_length=40)),
                ("language", models.CharField(max_length=10)),
                ("sealed", models.BinaryField()),
                ("written_at", models.DateTimeField()),
                ("tries", models.PositiveSmallIntegerField(default=0)),
                ("next_try_at", models.DateTimeField()),
                ("sent_at", models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name="Proposal",
            fields=[
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                ("act", models.CharField(max_length=40)),
                ("subject", models.CharField(max_length=100)),
                ("facts", models.JSONField()),
                ("sealed_facts", models.BinaryField(null=True)),
                ("state", models.CharField(max_length=64)),
                ("proposed_credential", models.CharField(default="", max_length=40)),
                ("proposed_at", models.DateTimeField()),
                ("until_at", models.DateTimeField()),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("open", "Open"),
                            ("carried-out", "Carried Out"),
                            ("declined", "Declined"),
                            ("withdrawn", "Withdrawn"),
                        ],
                        default="open",
                        max_length=12,
                    ),
                ),
                ("decided_at", models.DateTimeField(null=True)),
            ],
        ),
        migrations.RemoveConstraint(
            model_name="authority",
            name="authority_has_state",
        ),
        migrations.AddField(
            model_name="auditentry",
            name="concerns",
            field=models.JSONField(default=list),
        ),
        migrations.AddField(
            model_name="authority",
            name="allows_codes",
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name="authority",
            name="notification",
            field=models.CharField(default="", max_length=100),
        ),
        migrations.AddField(
            model_name="authority",
            name="notified_on",
            field=models.DateField(null=True),
        ),
        migrations.AddField(
            model_name="authority",
            name="root_confirmed_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="authority",
            name="root_fingerprint",
            field=models.CharField(default="", max_length=64),
        ),
        migrations.AddField(
            model_name="authority",
            name="root_notification",
            field=models.CharField(default="", max_length=100),
        ),
        migrations.AddField(
            model_name="authority",
            name="root_notified_on",
            field=models.DateField(null=True),
        ),
        migrations.AddField(
            model_name="membership",
            name="attested_until_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="membership",
            name="roles",
            field=models.JSONField(default=list),
        ),
        migrations.AddField(
            model_name="membership",
            name="successor",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="predecessors",
                to="network.membership",
            ),
        ),
        migrations.AddField(
            model_name="membership",
            name="suspended_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="person",
            name="address_index",
            field=models.CharField(max_length=64, null=True, unique=True),
        ),
        migrations.AddField(
            model_name="person",
            name="address_sealed",
            field=models.BinaryField(null=True),
        ),
        migrations.AddField(
            model_name="person",
            name="language",
            field=models.CharField(default="en", max_length=10),
        ),
        migrations.AddField(
            model_name="signin",
            name="address_sealed",
            field=models.BinaryField(null=True),
        ),
        migrations.AddField(
            model_name="signin",
            name="agent",
            field=models.CharField(default="", max_length=80),
        ),
        migrations.AddField(
            model_name="signin",
            name="credential",
            field=models.CharField(default="", max_length=40),
        ),
        migrations.AddField(
            model_name="signin",
            name="factor",
            field=models.CharField(
                choices=[
                    ("passkey", "Passkey"),
                    ("code", "Code"),
                    ("recovery-code", "Recovery Code"),
                    ("development", "Development"),
                ],
                default="development",
                max_length=16,
            ),
        ),
        migrations.AddField(
            model_name="signin",
            name="proved_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="signin",
            name="quiet_until_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AlterField(
            model_name="authority",
            name="kind",
            field=models.CharField(
                choices=[
                    ("central", "Central authority"),
                    ("competent", "Competent authority"),
                    ("mission", "Permanent mission"),
                    ("organization", "Regional network or organization"),
                    ("secretariat", "Secretariat"),
                ],
                max_length=20,
            ),
        ),
        migrations.AddConstraint(
            model_name="authority",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("state__isnull", False), ("kind__in", ("secretariat", "organization")), _connector="XOR"
                ),
                name="authority_has_state",
            ),
        ),
        migrations.AddField(
            model_name="auditconcern",
            name="entry",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="network.auditentry"
            ),
        ),
        migrations.AddField(
            model_name="delegation",
            name="delegate",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="delegations_held",
                to="network.membership",
            ),
        ),
        migrations.AddField(
            model_name="delegation",
            name="grantor",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="delegations_given",
                to="network.membership",
            ),
        ),
        migrations.AddField(
            model_name="signin",
            name="acting_for",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="sign_ins",
                to="network.delegation",
            ),
        ),
        migrations.AddField(
            model_name="invitation",
            name="authority",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="invitations",
                to="network.authority",
            ),
        ),
        migrations.AddField(
            model_name="invitation",
            name="person",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="invitations",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="invitation",
            name="sponsor",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="invitations_sent",
                to="network.membership",
            ),
        ),
        migrations.AddIndex(
            model_name="outgoingmail",
            index=models.Index(fields=["sent_at", "next_try_at"], name="mail_to_send"),
        ),
        migrations.AddField(
            model_name="proposal",
            name="authority",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="proposals", to="network.authority"
            ),
        ),
        migrations.AddField(
            model_name="proposal",
            name="decided_by",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="decisions",
                to="network.membership",
            ),
        ),
        migrations.AddField(
            model_name="proposal",
            name="proposed_by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="proposals", to="network.membership"
            ),
        ),
        migrations.AddConstraint(
            model_name="auditconcern",
            constraint=models.UniqueConstraint(fields=("authority_id", "entry"), name="audit_concern_once"),
        ),
        migrations.AddConstraint(
            model_name="delegation",
            constraint=models.CheckConstraint(
                condition=models.Q(("grantor", models.F("delegate")), _negated=True),
                name="delegation_to_another",
            ),
        ),
        migrations.AddConstraint(
            model_name="delegation",
            constraint=models.CheckConstraint(
                condition=models.Q(("until_at__gt", models.F("from_at"))), name="delegation_has_an_end"
            ),
        ),
        migrations.AddIndex(
            model_name="invitation",
            index=models.Index(fields=["authority", "sent_at"], name="invitation_of_authority"),
        ),
        migrations.AddConstraint(
            model_name="invitation",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("used_at__isnull", True), ("withdrawn_at__isnull", True), _connector="OR"
                ),
                name="invitation_used_or_withdrawn",
            ),
        ),
        migrations.AddIndex(
            model_name="proposal",
            index=models.Index(fields=["authority", "status", "proposed_at"], name="proposal_of_authority"),
        ),
        migrations.RunPython(keep_roles, migrations.RunPython.noop),
        migrations.RemoveField(
            model_name="membership",
            name="role",
        ),
        migrations.RemoveField(
            model_name="person",
            name="email",
        ),
    ]
