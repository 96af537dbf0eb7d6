"""Reading routers: what people configured and what was last learned of them."""

from typing import Any

from imsys.conf.secrets import vault
from imsys.network.errors import UnknownRouter
from imsys.network.models import Freeze, Router
from imsys.vault.box import ROUTER_PASSWORD

# what a person may see; the sealed password is not among it
FIELDS = (
    "id",
    "name",
    "host",
    "port",
    "username",
    "tls",
    "tls_fingerprint",
    "mode",
    "suspend_by",
    "suspend_profile",
    "suspend_list",
    "unmanaged",
    "pace_per_s",
    "kicks_per_s",
    "window",
    "window_zone",
    "caps",
    "created_at",
)
STATE_FIELDS = (
    "condition",
    "condition_text",
    "remedy",
    "condition_since",
    "is_reachable",
    "failures",
    "next_attempt_at",
    "resync_due_at",
    "resync_asked_at",
    "last_resync_at",
    "last_seen_at",
    "identity",
    "version",
    "serial",
    "board",
    "booted_at",
    "hides_passwords",
)


def get_router(name: str) -> Router:
    """Raises: UnknownRouter, which names those that look alike."""
    try:
        return Router.objects.get(name=name)
    except Router.DoesNotExist:
        raise UnknownRouter(name, router_names()) from None


def router_names() -> list[str]:
    return list(Router.objects.order_by("name").values_list("name", flat=True))


def list_routers() -> list[dict[str, Any]]:
    return [_row(router) for router in Router.objects.select_related("state").order_by("name")]


def router_detail(name: str) -> dict[str, Any]:
    get_router(name)
    return _row(Router.objects.select_related("state").get(name=name))


def frozen() -> dict[str, Any] | None:
    """reason, by and since of the freeze, while one stands."""
    row = Freeze.objects.values("reason", "by", "since").first()
    return None if row is None else dict(row)


def open_password(router: Router) -> str:
    """For whoever logs in to the router, and for nobody else."""
    return vault().open(router.password_sealed, context=ROUTER_PASSWORD)


def _row(router: Router) -> dict[str, Any]:
    row = {field: getattr(router, field) for field in FIELDS}
    return row | {field: getattr(router.state, field) for field in STATE_FIELDS}
