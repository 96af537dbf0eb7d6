"""What people may ask of the fleet."""

from django.db import transaction

from imsys.billing.services import Approved, approve_expiry, reject_expiry
from imsys.conf.sql import execute, fetch
from imsys.kit.errors import InputError
from imsys.network import services as network
from imsys.reconcile import guard
from imsys.timeline import holds
from imsys.timeline import services as timeline
from imsys.timeline.models import Held, Hold

# What nobody was known to have asked for, a person has asked for by now.
ASK = """
with asked as (
    select p.id
    from timeline_hold h, jsonb_array_elements(h.steps) e, fleet_placement p
    where h.id = %s and e ->> 'reason' = 'unasked' and p.router_id = h.router_id
      and p.menu = e ->> 'menu' and p.key = e ->> 'key' and p.subscriber_id is null
    order by p.id for update of p
)
update fleet_placement p set is_asked = true from asked where p.id = asked.id
"""


@transaction.atomic
def approve_hold(hold_id: int, *, actor: str) -> tuple[Hold, Approved | None]:
    """What is held may go on, as far as it is still due: a router is read anew first, the expired are looked up anew.

    The hold, and of expiries what was done at once.
    Raises: InputError when the hold does not wait any more.
    """
    if _is_of_expiry(hold_id):
        approved = approve_expiry(hold_id, actor=actor)
        return Hold.objects.get(pk=hold_id), approved
    hold = holds.decide(hold_id, Hold.State.APPROVED, actor=actor)
    execute(ASK, [hold_id])
    if hold.code == guard.OTHER_ROUTER:
        network.take_serial(hold.router_id, hold.serial)
    network.ask_resync([hold.router_id])
    return hold, None


@transaction.atomic
def reject_hold(hold_id: int, *, actor: str) -> Hold:
    """It stays undone, and nobody is asked again until it changes. Raises: as approve_hold."""
    if _is_of_expiry(hold_id):
        reject_expiry(hold_id, actor=actor)
        return Hold.objects.get(pk=hold_id)
    hold = holds.decide(hold_id, Hold.State.REJECTED, actor=actor)
    network.ask_resync([hold.router_id])
    return hold


def _is_of_expiry(hold_id: int) -> bool:
    return Hold.objects.filter(pk=hold_id, kind=Held.EXPIRY).exists()


END_PAUSE = """
update fleet_fight f set paused_until = now() from network_router r
where f.id = %s and f.begun_at is not null and f.over_at > now() and r.id = f.router_id
returning r.id, r.name, f.menu, f.key, f.field
"""


@transaction.atomic
def end_pause(fight_id: int, *, actor: str) -> dict[str, str]:
    """The field's repair rests no more: the router is read anew. What is changed back then rests for longer.

    Returns router, menu, key and field. Raises: InputError when there is no such fight.
    """
    rows = fetch(END_PAUSE, [fight_id])
    if not rows:
        raise InputError(f"There is no fight {fight_id} that goes on.", remedy="See them: imsys fight list")
    router_id, router, menu, key, name = rows[0]
    timeline.record(
        "pause-ended", actor=actor, router_id=router_id, router=router, cause="fight", note=f"{name} of {menu} {key}"
    )
    network.ask_resync([router_id])
    return {"router": router, "menu": menu, "key": key, "field": name}
