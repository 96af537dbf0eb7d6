from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("timeline", "0002_append_only"),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name="event",
            name="event_naming",
        ),
        migrations.AddIndex(
            model_name="event",
            index=models.Index(
                condition=models.Q(("what__in", ("added", "removed", "renamed"))),
                fields=["username"],
                name="event_naming",
            ),
        ),
    ]
