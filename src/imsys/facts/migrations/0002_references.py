"""A removed router leaves no facts behind; the row that each glance rewrites has room on its page."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("facts", "0001_initial"), ("network", "0001_initial")]

    operations = [
        migrations.RunSQL(
            "alter table facts_routerfacts add constraint facts_routerfacts_router_id_fk"
            " foreign key (router_id) references network_router (id) on delete cascade",
            "alter table facts_routerfacts drop constraint facts_routerfacts_router_id_fk",
        ),
        migrations.RunSQL("alter table facts_routerfacts set (fillfactor = 50)", migrations.RunSQL.noop),
    ]
