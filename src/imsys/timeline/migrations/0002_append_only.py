from django.db import migrations

# Deleting is for retention alone, which says so in its own transaction; see timeline.services.prune.
GUARD = """
create function timeline_event_guard() returns trigger language plpgsql as $$
begin
    if tg_op = 'DELETE' and current_setting('imsys.retention', true) = 'on' then
        return null;
    end if;
    raise exception 'the timeline is append-only' using errcode = 'restrict_violation';
end
$$;
create trigger timeline_event_guard before update or delete on timeline_event
    for each statement execute function timeline_event_guard();
create index event_at on timeline_event using brin (at);
"""
UNGUARD = """
drop index event_at;
drop trigger timeline_event_guard on timeline_event;
drop function timeline_event_guard();
"""


class Migration(migrations.Migration):
    dependencies = (("timeline", "0001_initial"),)
    operations = (migrations.RunSQL(GUARD, UNGUARD),)
