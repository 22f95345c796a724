import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("messaging", "0007_members_of_every_kind")]

    operations = [
        migrations.CreateModel(
            name="Confirmation",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("head", models.CharField(blank=True, max_length=64)),
                ("first", models.BinaryField()),
                ("first_blind", models.BinaryField()),
                ("second", models.BinaryField()),
                ("second_blind", models.BinaryField()),
                ("reference", models.CharField(max_length=100)),
                ("notified_on", models.DateField()),
                ("confirmed_at", models.DateTimeField()),
                (
                    "principal",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="confirmations",
                        to="messaging.principal",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["principal", "id"], name="confirmation_of_principal")],
            },
        ),
    ]
