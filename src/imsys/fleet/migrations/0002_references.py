"""References that the database itself keeps: a removed subscriber or package leaves ghosts, a router nothing.

Fillfactors leave room on the page for rows that change every second.
"""

from django.db import migrations

REFERENCES = (
    ("fleet_lease", "router_id", "network_router", "cascade"),
    ("fleet_acceptance", "router_id", "network_router", "cascade"),
    ("fleet_run", "router_id", "network_router", "cascade"),
    ("fleet_placement", "router_id", "network_router", "cascade"),
    ("fleet_placement", "subscriber_id", "subscribers_subscriber", "set null"),
    ("fleet_placement", "package_id", "subscribers_package", "set null"),
)


def add(table: str, column: str, target: str, action: str) -> migrations.RunSQL:
    name = f"{table}_{column}_fk"
    return migrations.RunSQL(
        f"alter table {table} add constraint {name} foreign key ({column}) references {target} (id) on delete {action}",
        f"alter table {table} drop constraint {name}",
    )


class Migration(migrations.Migration):
    dependencies = [
        ("fleet", "0001_initial"),
        ("network", "0001_initial"),
        ("subscribers", "0001_initial"),
    ]

    operations = [
        *(add(*reference) for reference in REFERENCES),
        migrations.RunSQL(
            "alter table fleet_lease set (fillfactor = 50); alter table fleet_worker set (fillfactor = 50)",
            migrations.RunSQL.noop,
        ),
    ]
