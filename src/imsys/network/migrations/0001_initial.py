import django.core.validators
import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Router",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.TextField()),
                ("host", models.TextField()),
                (
                    "port",
                    models.IntegerField(
                        default=8728,
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(65535),
                        ],
                    ),
                ),
                ("username", models.TextField()),
                ("password_sealed", models.BinaryField()),
                (
                    "tls",
                    models.TextField(
                        choices=[("off", "Off"), ("verify", "Verify"), ("pin", "Pin"), ("anonymous", "Anonymous")],
                        default="off",
                    ),
                ),
                ("tls_fingerprint", models.TextField(blank=True, default="")),
                (
                    "mode",
                    models.TextField(
                        choices=[("observe", "Observe"), ("enforce", "Enforce"), ("paused", "Paused")],
                        default="observe",
                    ),
                ),
                (
                    "suspend_by",
                    models.TextField(
                        choices=[("disable", "Disable"), ("profile", "Profile"), ("address-list", "Address List")],
                        default="disable",
                    ),
                ),
                ("suspend_profile", models.TextField(default="suspended")),
                (
                    "unmanaged",
                    models.TextField(
                        choices=[("keep", "Keep"), ("quarantine", "Quarantine"), ("remove", "Remove")], default="keep"
                    ),
                ),
                ("pace_per_s", models.IntegerField(default=100)),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
            options={
                "ordering": ["name"],
            },
        ),
        migrations.CreateModel(
            name="RouterState",
            fields=[
                (
                    "router",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="state",
                        serialize=False,
                        to="network.router",
                    ),
                ),
                ("condition", models.TextField(db_default="", default="")),
                ("condition_text", models.TextField(db_default="", default="")),
                ("remedy", models.TextField(db_default="", default="")),
                ("condition_since", models.DateTimeField(null=True)),
                ("is_reachable", models.BooleanField(null=True)),
                ("failures", models.IntegerField(db_default=0, default=0)),
                ("next_attempt_at", models.DateTimeField(null=True)),
                ("resync_due_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("resync_asked_at", models.DateTimeField(null=True)),
                ("last_resync_at", models.DateTimeField(null=True)),
                ("last_seen_at", models.DateTimeField(null=True)),
                ("identity", models.TextField(db_default="", default="")),
                ("version", models.TextField(db_default="", default="")),
                ("serial", models.TextField(db_default="", default="")),
                ("board", models.TextField(db_default="", default="")),
                ("booted_at", models.DateTimeField(null=True)),
                ("hides_passwords", models.BooleanField(null=True)),
            ],
        ),
        migrations.AddConstraint(
            model_name="router",
            constraint=models.UniqueConstraint(fields=("name",), name="router_name"),
        ),
        migrations.AddConstraint(
            model_name="router",
            constraint=models.CheckConstraint(
                condition=models.Q(("name", ""), _negated=True), name="router_name_given"
            ),
        ),
        migrations.AddConstraint(
            model_name="router",
            constraint=models.CheckConstraint(condition=models.Q(("port__range", (1, 65535))), name="router_port"),
        ),
        migrations.AddConstraint(
            model_name="router",
            constraint=models.CheckConstraint(
                condition=models.Q(("tls__in", ["off", "verify", "pin", "anonymous"])), name="router_tls"
            ),
        ),
        migrations.AddConstraint(
            model_name="router",
            constraint=models.CheckConstraint(
                condition=models.Q(("mode__in", ["observe", "enforce", "paused"])), name="router_mode"
            ),
        ),
        migrations.AddConstraint(
            model_name="router",
            constraint=models.CheckConstraint(
                condition=models.Q(("suspend_by__in", ["disable", "profile", "address-list"])), name="router_suspend_by"
            ),
        ),
        migrations.AddConstraint(
            model_name="router",
            constraint=models.CheckConstraint(
                condition=models.Q(("unmanaged__in", ["keep", "quarantine", "remove"])), name="router_unmanaged"
            ),
        ),
        migrations.AddConstraint(
            model_name="router",
            constraint=models.CheckConstraint(
                condition=models.Q(("pace_per_s__range", (1, 10000))), name="router_pace"
            ),
        ),
    ]
