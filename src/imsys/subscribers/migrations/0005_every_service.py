import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("network", "0002_every_service"),
        ("subscribers", "0004_no_kick_tries"),
    ]

    operations = [
        migrations.CreateModel(
            name="Departure",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("since", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "subscriber",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="departures",
                        to="subscribers.subscriber",
                    ),
                ),
                (
                    "router",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="departures",
                        to="network.router",
                    ),
                ),
            ],
        ),
        migrations.AddField(
            model_name="package",
            name="apply",
            field=models.TextField(
                choices=[("now", "Now"), ("next-login", "Next Login")], db_default="next-login", default="next-login"
            ),
        ),
        migrations.AddField(
            model_name="package",
            name="limit_bytes",
            field=models.BigIntegerField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name="package",
            name="limit_uptime",
            field=models.TextField(blank=True, db_default="", default=""),
        ),
        migrations.AddField(
            model_name="package",
            name="shared_users",
            field=models.IntegerField(db_default=1, default=1),
        ),
        migrations.AddField(
            model_name="subscriber",
            name="mac",
            field=models.TextField(blank=True, db_default="", default=""),
        ),
        migrations.AddField(
            model_name="syncstate",
            name="has_lock",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddField(
            model_name="syncstate",
            name="made_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddConstraint(
            model_name="package",
            constraint=models.CheckConstraint(
                condition=models.Q(("apply__in", ["now", "next-login"])), name="package_apply"
            ),
        ),
        migrations.AddConstraint(
            model_name="package",
            constraint=models.CheckConstraint(
                condition=models.Q(("shared_users__range", (1, 1000))), name="package_shared_users"
            ),
        ),
        migrations.AddConstraint(
            model_name="package",
            constraint=models.CheckConstraint(condition=models.Q(("limit_bytes__gte", 0)), name="package_limit_bytes"),
        ),
        migrations.AddConstraint(
            model_name="subscriber",
            constraint=models.UniqueConstraint(
                condition=models.Q(models.Q(("mac", ""), _negated=True), models.Q(("service", "pppoe"), _negated=True)),
                fields=("router", "mac"),
                name="subscriber_mac",
            ),
        ),
        migrations.AddConstraint(
            model_name="subscriber",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("service", "static"), _negated=True),
                    models.Q(("address", ""), _negated=True),
                    _connector="OR",
                ),
                name="subscriber_static_address",
            ),
        ),
        migrations.AddIndex(
            model_name="departure",
            index=models.Index(fields=["router"], name="departure_router"),
        ),
        migrations.AddConstraint(
            model_name="departure",
            constraint=models.UniqueConstraint(fields=("subscriber", "router"), name="departure_once_per_router"),
        ),
    ]
