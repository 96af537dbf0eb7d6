"""What people may ask of the fleet."""

from imsys.conf.sql import execute
from imsys.network import services as network
from imsys.network.selectors import get_router
from imsys.timeline import services as timeline


def accept_router(name: str, *, actor: str) -> None:
    """A person has looked at a router whose rows vanished or whose hardware changed: the next resync makes it right."""
    router = get_router(name)
    execute(
        "insert into fleet_acceptance (router_id, by) values (%s, %s) on conflict (router_id) do nothing",
        [router.pk, actor],
    )
    timeline.record("router-accepted", actor=actor, router_id=router.pk, router=name)
    network.ask_resync([router.pk])
