import django.contrib.postgres.indexes
import django.core.validators
import django.db.models.deletion
import django.db.models.functions.datetime
import django.db.models.functions.text
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("network", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Package",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.TextField()),
                ("profile", models.TextField(blank=True, default="")),
                ("rate_limit", models.TextField(blank=True, default="")),
                (
                    "price",
                    models.DecimalField(
                        decimal_places=2, max_digits=12, validators=[django.core.validators.MinValueValidator(0)]
                    ),
                ),
                ("days", models.IntegerField(default=30, validators=[django.core.validators.MinValueValidator(1)])),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
            options={
                "ordering": ["name"],
                "constraints": [
                    models.UniqueConstraint(fields=("name",), name="package_name"),
                    models.CheckConstraint(condition=models.Q(("name", ""), _negated=True), name="package_name_given"),
                    models.CheckConstraint(condition=models.Q(("price__gte", 0)), name="package_price"),
                    models.CheckConstraint(condition=models.Q(("days__gte", 1)), name="package_days"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Subscriber",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("username", models.TextField()),
                (
                    "service",
                    models.TextField(
                        choices=[("pppoe", "Pppoe"), ("static", "Static"), ("hotspot", "Hotspot")], default="pppoe"
                    ),
                ),
                ("password_sealed", models.BinaryField(null=True)),
                ("password_mac", models.BinaryField(null=True)),
                ("address", models.TextField(blank=True, db_default="", default="")),
                ("full_name", models.TextField(blank=True, db_default="", default="")),
                ("phone", models.TextField(blank=True, db_default="", default="")),
                ("email", models.TextField(blank=True, db_default="", default="")),
                ("note", models.TextField(blank=True, db_default="", default="")),
                ("expires_at", models.DateTimeField(blank=True, null=True)),
                ("is_suspended", models.BooleanField(db_default=False, default=False)),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("updated_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "package",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="subscribers",
                        to="subscribers.package",
                    ),
                ),
                (
                    "router",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="subscribers", to="network.router"
                    ),
                ),
            ],
            options={
                "ordering": ["username"],
            },
        ),
        migrations.CreateModel(
            name="Suspension",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "cause",
                    models.TextField(
                        choices=[
                            ("expiry", "Expiry"),
                            ("non-payment", "Non Payment"),
                            ("abuse", "Abuse"),
                            ("request", "Request"),
                            ("other", "Other"),
                        ]
                    ),
                ),
                ("note", models.TextField(blank=True, db_default="", default="")),
                ("by", models.TextField(db_default="", default="")),
                ("since", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "subscriber",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="suspensions",
                        to="subscribers.subscriber",
                    ),
                ),
            ],
            options={
                "ordering": ["since", "pk"],
            },
        ),
        migrations.CreateModel(
            name="SyncState",
            fields=[
                (
                    "subscriber",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="sync",
                        serialize=False,
                        to="subscribers.subscriber",
                    ),
                ),
                ("router_id", models.BigIntegerField()),
                ("generation", models.IntegerField(db_default=1, default=1)),
                ("applied_generation", models.IntegerField(db_default=0, default=0)),
                (
                    "sync_status",
                    models.TextField(
                        choices=[("pending", "Pending"), ("synced", "Synced"), ("error", "Error")],
                        db_default="pending",
                        default="pending",
                    ),
                ),
                ("sync_error", models.TextField(db_default="", default="")),
                ("error_code", models.TextField(db_default="", default="")),
                ("attempts", models.IntegerField(db_default=0, default=0)),
                (
                    "next_attempt_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), null=True),
                ),
                ("wanted_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("applied_at", models.DateTimeField(null=True)),
                ("last_synced_at", models.DateTimeField(null=True)),
                ("kick_owed", models.BooleanField(db_default=False, default=False)),
                ("kick_tries", models.IntegerField(db_default=0, default=0)),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("sync_status", "synced"), _negated=True),
                        fields=["router_id", "next_attempt_at"],
                        name="sync_due",
                    )
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("sync_status__in", ["pending", "synced", "error"])), name="sync_status"
                    )
                ],
            },
        ),
        migrations.AddIndex(
            model_name="subscriber",
            index=models.Index(
                django.contrib.postgres.indexes.OpClass(
                    django.db.models.functions.text.Lower("username"), name="text_pattern_ops"
                ),
                name="subscriber_username_lower",
            ),
        ),
        migrations.AddConstraint(
            model_name="subscriber",
            constraint=models.UniqueConstraint(fields=("username",), name="subscriber_username"),
        ),
        migrations.AddConstraint(
            model_name="subscriber",
            constraint=models.UniqueConstraint(
                condition=models.Q(("address", ""), _negated=True),
                fields=("router", "address"),
                name="subscriber_address",
            ),
        ),
        migrations.AddConstraint(
            model_name="subscriber",
            constraint=models.CheckConstraint(
                condition=models.Q(("username", ""), _negated=True), name="subscriber_username_given"
            ),
        ),
        migrations.AddConstraint(
            model_name="subscriber",
            constraint=models.CheckConstraint(
                condition=models.Q(("service__in", ["pppoe", "static", "hotspot"])), name="subscriber_service"
            ),
        ),
        migrations.AddConstraint(
            model_name="subscriber",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("password_mac__isnull", True), ("password_sealed__isnull", True)),
                    models.Q(("password_mac__isnull", False), ("password_sealed__isnull", False)),
                    _connector="OR",
                ),
                name="subscriber_password_whole",
            ),
        ),
        migrations.AddConstraint(
            model_name="suspension",
            constraint=models.UniqueConstraint(fields=("subscriber", "cause"), name="suspension_once_per_cause"),
        ),
        migrations.AddConstraint(
            model_name="suspension",
            constraint=models.CheckConstraint(
                condition=models.Q(("cause__in", ["expiry", "non-payment", "abuse", "request", "other"])),
                name="suspension_cause",
            ),
        ),
    ]
