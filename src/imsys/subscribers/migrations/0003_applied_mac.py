from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("subscribers", "0002_storage"),
    ]

    operations = [
        migrations.AddField(
            model_name="syncstate",
            name="applied_mac",
            field=models.BinaryField(null=True),
        ),
    ]
