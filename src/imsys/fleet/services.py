"""What people may ask of the fleet."""

from django.db import transaction

from imsys.billing.services import approve_expiry, reject_expiry
from imsys.network import services as network
from imsys.reconcile import guard
from imsys.timeline import holds
from imsys.timeline.models import Held, Hold


@transaction.atomic
def approve_hold(hold_id: int, *, actor: str) -> Hold:
    """What is held may go on, as far as it is still due: a router is read anew first, the expired are looked up anew.

    Raises: InputError when the hold does not wait any more.
    """
    if _is_of_expiry(hold_id):
        approve_expiry(hold_id, actor=actor)
        return Hold.objects.get(pk=hold_id)
    hold = holds.decide(hold_id, Hold.State.APPROVED, actor=actor)
    if hold.code == guard.OTHER_ROUTER:
        network.forget_serial(hold.router_id)
    network.ask_resync([hold.router_id])
    return hold


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
