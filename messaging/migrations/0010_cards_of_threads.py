"""Cards: sealed hints of lists, which the devices of a principal share."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("messaging", "0009_reports_are_forgotten_and_kits_tried")]

    operations = [
        migrations.CreateModel(
            name="Card",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("card", models.CharField(max_length=32)),
                ("m", models.PositiveBigIntegerField()),
                ("seq", models.PositiveBigIntegerField()),
                ("sealed", models.BinaryField()),
                (
                    "principal",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="cards",
                        to="messaging.principal",
                    ),
                ),
                (
                    "thread",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="cards",
                        to="messaging.thread",
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("principal", "thread"), name="card_once")],
            },
        ),
    ]
