from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("subscribers", "0003_applied_mac"),
    ]

    operations = [
        migrations.RemoveField(
            model_name="syncstate",
            name="kick_tries",
        ),
    ]
