import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("network", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="RouterFacts",
            fields=[
                (
                    "router",
                    models.OneToOneField(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        serialize=False,
                        to="network.router",
                    ),
                ),
                ("read_at", models.DateTimeField()),
                ("online", models.IntegerField()),
                ("suspended_online", models.IntegerField()),
                ("entitled_cut", models.IntegerField()),
                ("unmanaged", models.IntegerField(null=True)),
            ],
        ),
    ]
