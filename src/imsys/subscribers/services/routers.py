"""Changing a router: the one door, here because how a router suspends concerns subscribers."""

from typing import Unpack

from django.db import transaction

from imsys.conf.sql import execute
from imsys.kit.errors import InputError
from imsys.network.models import Mode, Router, SuspendBy
from imsys.network.services import RouterChanges, RouterEdit, edit_router, read_anew
from imsys.subscribers.models import Package, Service
from imsys.subscribers.services.rows import BUMP

# What was only observed until now becomes ours by being seen once more.
LOOK_AT_ALL = """
with asked as materialized (
    select subscriber_id from subscribers_syncstate where router_id = %s and sync_status = 'synced'
    order by subscriber_id for update
)
update subscribers_syncstate s set sync_status = 'pending', next_attempt_at = now()
from asked where s.subscriber_id = asked.subscriber_id
"""


@transaction.atomic
def set_router(name: str, *, actor: str, **changes: Unpack[RouterChanges]) -> Router:
    """Change a router. It is read anew; a new way to suspend bumps the suspended whom it concerns.

    One that is enforced from now on has all of its subscribers looked at.
    """
    edit = edit_router(name, actor=actor, **changes)
    if edit.changed & {"suspend_by", "suspend_profile"}:
        _check_walled_garden(edit.router)
    if services := _cut_otherwise(edit):
        suspended = (
            "subscribers_subscriber where router_id = %(id)s and is_suspended and service = any(%(services)s::text[])"
        )
        execute(BUMP.format(concerned=suspended), {"id": edit.router.pk, "services": services})
    if "mode" in edit.changed and edit.router.mode == Mode.ENFORCE:
        execute(LOOK_AT_ALL, [edit.router.pk])
    if edit.changed:
        read_anew(edit.router.pk)
    return edit.router


def _cut_otherwise(edit: RouterEdit) -> list[str]:
    """The services whose suspended lines are cut off in another way now: static ones by the list, whatever is set."""
    by = edit.router.suspend_by
    services = set()
    if "suspend_by" in edit.changed or (by == SuspendBy.PROFILE and "suspend_profile" in edit.changed):
        services.add(Service.PPPOE.value)
    if "suspend_list" in edit.changed:
        services |= {Service.STATIC.value} | ({Service.PPPOE.value} if by == SuspendBy.ADDRESS_LIST else set())
    return sorted(services)


def _check_walled_garden(router: Router) -> None:
    if router.suspend_by != SuspendBy.PROFILE:
        return
    if Package.objects.filter(name=router.suspend_profile, profile="").exists():
        raise InputError(
            f"The profile {router.suspend_profile!r} belongs to the package of that name.",
            remedy="Choose another profile for suspended subscribers.",
        )
