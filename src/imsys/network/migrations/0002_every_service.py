from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("network", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="router",
            name="kicks_per_s",
            field=models.IntegerField(db_default=5, default=5),
        ),
        migrations.AddField(
            model_name="router",
            name="suspend_list",
            field=models.TextField(db_default="BLOCKED_USERS", default="BLOCKED_USERS"),
        ),
        migrations.AddConstraint(
            model_name="router",
            constraint=models.CheckConstraint(
                condition=models.Q(("suspend_list", ""), _negated=True), name="router_suspend_list_given"
            ),
        ),
        migrations.AddConstraint(
            model_name="router",
            constraint=models.CheckConstraint(
                condition=models.Q(("kicks_per_s__range", (1, 1000))), name="router_kicks"
            ),
        ),
    ]
