import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Event",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("actor", models.TextField()),
                ("what", models.TextField()),
                ("subscriber_id", models.BigIntegerField(null=True)),
                ("username", models.TextField(db_default="", default="")),
                ("router_id", models.BigIntegerField(null=True)),
                ("router", models.TextField(db_default="", default="")),
                ("before", models.JSONField(null=True)),
                ("after", models.JSONField(null=True)),
                ("cause", models.TextField(db_default="", default="")),
                ("note", models.TextField(db_default="", default="")),
            ],
            options={
                "ordering": ["-pk"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("subscriber_id__isnull", False)),
                        fields=["subscriber_id", "id"],
                        name="event_subscriber",
                    ),
                    models.Index(
                        condition=models.Q(("what__in", ("added", "removed"))), fields=["username"], name="event_naming"
                    ),
                    models.Index(
                        condition=models.Q(("router_id__isnull", False)),
                        fields=["router_id", "id"],
                        name="event_router",
                    ),
                ],
            },
        ),
    ]
