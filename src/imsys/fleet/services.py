"""What people may ask of the fleet."""

from django.db import transaction

from imsys.network import services as network
from imsys.reconcile import guard
from imsys.timeline import holds
from imsys.timeline.models import Hold


@transaction.atomic
def approve_hold(hold_id: int, *, actor: str) -> Hold:
    """What is held on a router may go on: it is read anew, and what is still due of these steps is done.

    Raises: InputError when the hold does not wait any more.
    """
    hold = holds.decide(hold_id, Hold.State.APPROVED, actor=actor)
    if hold.code == guard.OTHER_ROUTER:
        network.forget_serial(hold.router_id)
    network.ask_resync([hold.router_id])
    return hold


@transaction.atomic
def reject_hold(hold_id: int, *, actor: str) -> Hold:
    """They stay undone, and nobody is asked again until they change. Raises: as approve_hold."""
    hold = holds.decide(hold_id, Hold.State.REJECTED, actor=actor)
    network.ask_resync([hold.router_id])
    return hold
