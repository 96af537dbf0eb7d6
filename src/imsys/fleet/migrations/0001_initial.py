import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("network", "0001_initial"),
        ("subscribers", "0002_storage"),
    ]

    operations = [
        migrations.CreateModel(
            name="Acceptance",
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
                ("by", models.CharField(max_length=200)),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
        ),
        migrations.CreateModel(
            name="Worker",
            fields=[
                ("id", models.UUIDField(primary_key=True, serialize=False)),
                ("name", models.CharField(max_length=200)),
                ("started_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("seen_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
        ),
        migrations.CreateModel(
            name="Lease",
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
                ("owner", models.UUIDField(null=True)),
                ("until", models.DateTimeField(null=True)),
                ("epoch", models.BigIntegerField(db_default=0)),
            ],
            options={
                "indexes": [models.Index(fields=["owner"], name="fleet_lease_owner")],
            },
        ),
        migrations.CreateModel(
            name="Placement",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("menu", models.CharField(max_length=60)),
                ("key", models.TextField()),
                ("placed_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "package",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        to="subscribers.package",
                    ),
                ),
                (
                    "router",
                    models.ForeignKey(
                        db_constraint=False, on_delete=django.db.models.deletion.CASCADE, to="network.router"
                    ),
                ),
                (
                    "subscriber",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        to="subscribers.subscriber",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("package__isnull", True), ("subscriber__isnull", True)),
                        fields=["router"],
                        name="fleet_placement_ghosts",
                    )
                ],
                "constraints": [models.UniqueConstraint(fields=("router", "menu", "key"), name="fleet_placement_key")],
            },
        ),
        migrations.CreateModel(
            name="Run",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.CharField(max_length=10)),
                ("worker", models.UUIDField(null=True)),
                ("started_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("result", models.CharField(max_length=12)),
                ("note", models.TextField(blank=True, db_default="")),
                ("subscribers", models.IntegerField(db_default=0)),
                ("drifted", models.IntegerField(db_default=0)),
                ("repaired", models.IntegerField(db_default=0)),
                ("unmanaged", models.IntegerField(db_default=0)),
                ("commands", models.IntegerField(db_default=0)),
                ("writes", models.IntegerField(db_default=0)),
                ("rows", models.IntegerField(db_default=0)),
                (
                    "router",
                    models.ForeignKey(
                        db_constraint=False, on_delete=django.db.models.deletion.CASCADE, to="network.router"
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["router", "-id"], name="fleet_run_router"),
                    models.Index(fields=["ended_at"], name="fleet_run_ended"),
                ],
            },
        ),
    ]
