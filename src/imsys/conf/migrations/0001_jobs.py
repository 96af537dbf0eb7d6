from django.db import migrations

# Procrastinate's fetch rejects jobs whose lock is taken by an anti-join. Its plan is cached while the table is empty,
# a queue's normal state, and is then kept: 1,000 waiting locked jobs cost 54 to 70 ms a fetch. Without sorts the
# planner takes the index on the lock whatever the statistics say: 0.4 ms. An upgrade of Procrastinate can replace the
# function; a test looks for this setting.
#
# The queue is short but every job dies in it, so it is vacuumed often and at full speed.
REPAIR = """
alter function procrastinate_fetch_job_v2(character varying[], bigint) set enable_sort = off;
create index imsys_jobs_lock on procrastinate_jobs (lock) where status in ('todo', 'doing') and lock is not null;
alter table procrastinate_jobs set (
    fillfactor = 70,
    autovacuum_vacuum_scale_factor = 0,
    autovacuum_vacuum_threshold = 2000,
    autovacuum_vacuum_cost_delay = 0
);
"""
UNDO = """
alter table procrastinate_jobs reset (
    fillfactor, autovacuum_vacuum_scale_factor, autovacuum_vacuum_threshold, autovacuum_vacuum_cost_delay
);
drop index imsys_jobs_lock;
alter function procrastinate_fetch_job_v2(character varying[], bigint) reset enable_sort;
"""


class Migration(migrations.Migration):
    dependencies = (("procrastinate", "0041_post_retry_failed_job"),)
    operations = (migrations.RunSQL(REPAIR, UNDO),)
