"""What a router can do, one row per boot."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from imsys.onboarding.models import Capability

SAME_BOOT = timedelta(minutes=2)
"""Uptimes are whole seconds and clocks get corrected: two boots are further apart than that."""
KEPT = 20


@transaction.atomic
def record_capability(
    router_id: int, *, booted_at: datetime, version: str, serial: str, menus: Mapping[str, Any]
) -> Capability:
    """Said again of the same boot, it replaces what was said before; of each router the last few boots are kept."""
    of_router = Capability.objects.filter(router_id=router_id)
    near = of_router.filter(booted_at__range=(booted_at - SAME_BOOT, booted_at + SAME_BOOT)).order_by("-booted_at")
    row = near.select_for_update().first() or Capability(router_id=router_id, booted_at=booted_at)
    row.version, row.serial = version, serial or row.serial
    row.menus, row.recorded_at = dict(menus), timezone.now()
    row.save()
    old = of_router.order_by("-booted_at").values_list("pk", flat=True)[KEPT:]
    Capability.objects.filter(pk__in=list(old)).delete()
    return row
