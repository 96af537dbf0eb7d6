from django.db import migrations

# Room on each page lets an update stay on it, without touching the indexes. SyncState changes with every run.
ROOM = """
alter table subscribers_syncstate set (fillfactor = 60, autovacuum_vacuum_scale_factor = 0.02);
alter table subscribers_subscriber set (fillfactor = 85);
"""
NO_ROOM = """
alter table subscribers_syncstate reset (fillfactor, autovacuum_vacuum_scale_factor);
alter table subscribers_subscriber reset (fillfactor);
"""


class Migration(migrations.Migration):
    dependencies = (("subscribers", "0001_initial"),)
    operations = (migrations.RunSQL(ROOM, NO_ROOM),)
