"""Routers: what people configured (`Router`, `Freeze`) and what was last learned of them (`RouterState`)."""

from typing import ClassVar

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import JSONField, Q, Value
from django.db.models.functions import Now

DEFAULT_PORT = 8728
DEFAULT_PACE_PER_S = 100
DEFAULT_SUSPEND_LIST = "BLOCKED_USERS"
DEFAULT_KICKS_PER_S = 5


class Tls(models.TextChoices):
    OFF = "off"
    VERIFY = "verify"
    PIN = "pin"
    ANONYMOUS = "anonymous"


class Mode(models.TextChoices):
    """Whether IMSys writes to the router: it only looks, it keeps it right, or it leaves it alone."""

    OBSERVE = "observe"
    ENFORCE = "enforce"
    PAUSED = "paused"


class SuspendBy(models.TextChoices):
    """How PPPoE lines are cut off. Static ones always are by address list, hotspot ones always by disabling."""

    DISABLE = "disable"
    PROFILE = "profile"
    ADDRESS_LIST = "address-list"


class Unmanaged(models.TextChoices):
    """What becomes of rows on the router that are neither desired nor placed."""

    KEEP = "keep"
    QUARANTINE = "quarantine"
    REMOVE = "remove"


class Router(models.Model):
    """A MikroTik that we keep. Intent: written by `network.services` only.

    `kicks_per_s` bounds the sessions ended for a new login, such as after a change of speed: all of them come back.
    `window`: a cron expression that matches the minutes in which the router may be written to, in `window_zone`; blank
    for always. `caps`: by kind of step, how many a machine may cause in one run; what is not given has its default,
    see reconcile.caps.
    """

    name = models.TextField()
    host = models.TextField()
    port = models.IntegerField(default=DEFAULT_PORT, validators=[MinValueValidator(1), MaxValueValidator(65535)])
    username = models.TextField()
    password_sealed = models.BinaryField()
    tls = models.TextField(choices=Tls, default=Tls.OFF)
    tls_fingerprint = models.TextField(default="", blank=True)
    mode = models.TextField(choices=Mode, default=Mode.OBSERVE)
    suspend_by = models.TextField(choices=SuspendBy, default=SuspendBy.DISABLE)
    suspend_profile = models.TextField(default="suspended")
    suspend_list = models.TextField(default=DEFAULT_SUSPEND_LIST, db_default=DEFAULT_SUSPEND_LIST)
    unmanaged = models.TextField(choices=Unmanaged, default=Unmanaged.KEEP)
    pace_per_s = models.IntegerField(default=DEFAULT_PACE_PER_S)
    kicks_per_s = models.IntegerField(default=DEFAULT_KICKS_PER_S, db_default=DEFAULT_KICKS_PER_S)
    window = models.TextField(default="", db_default="", blank=True)
    window_zone = models.TextField(default="", db_default="", blank=True)
    caps = models.JSONField(default=dict, db_default=Value({}, JSONField()), blank=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering: ClassVar = ["name"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["name"], name="router_name"),
            models.CheckConstraint(condition=~Q(name=""), name="router_name_given"),
            models.CheckConstraint(condition=Q(port__range=(1, 65535)), name="router_port"),
            models.CheckConstraint(condition=Q(tls__in=Tls.values), name="router_tls"),
            models.CheckConstraint(condition=Q(mode__in=Mode.values), name="router_mode"),
            models.CheckConstraint(condition=Q(suspend_by__in=SuspendBy.values), name="router_suspend_by"),
            models.CheckConstraint(condition=Q(unmanaged__in=Unmanaged.values), name="router_unmanaged"),
            models.CheckConstraint(condition=Q(pace_per_s__range=(1, 10_000)), name="router_pace"),
            models.CheckConstraint(condition=~Q(suspend_list=""), name="router_suspend_list_given"),
            models.CheckConstraint(condition=Q(kicks_per_s__range=(1, 1_000)), name="router_kicks"),
        ]

    def __str__(self) -> str:
        return self.name


class Freeze(models.Model):
    """While this row stands, IMSys writes to no router at all."""

    is_one = models.BooleanField(primary_key=True, default=True)
    reason = models.TextField()
    by = models.TextField()
    since = models.DateTimeField(db_default=Now())

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(is_one=True), name="freeze_one"),
            models.CheckConstraint(condition=~Q(reason=""), name="freeze_reason_given"),
        ]

    def __str__(self) -> str:
        return f"frozen by {self.by}: {self.reason}"


class RouterState(models.Model):
    """What was last learned of a router, and when to look again. Made with the router, then written by the fleet.

    An empty `condition` means fine. `is_reachable` and `hides_passwords` are null until known.
    """

    router = models.OneToOneField(Router, models.CASCADE, primary_key=True, related_name="state")
    condition = models.TextField(default="", db_default="")
    condition_text = models.TextField(default="", db_default="")
    remedy = models.TextField(default="", db_default="")
    condition_since = models.DateTimeField(null=True)
    is_reachable = models.BooleanField(null=True)
    failures = models.IntegerField(default=0, db_default=0)
    next_attempt_at = models.DateTimeField(null=True)
    resync_due_at = models.DateTimeField(db_default=Now())
    resync_asked_at = models.DateTimeField(null=True)
    last_resync_at = models.DateTimeField(null=True)
    last_seen_at = models.DateTimeField(null=True)
    identity = models.TextField(default="", db_default="")
    version = models.TextField(default="", db_default="")
    serial = models.TextField(default="", db_default="")
    board = models.TextField(default="", db_default="")
    booted_at = models.DateTimeField(null=True)
    hides_passwords = models.BooleanField(null=True)

    def __str__(self) -> str:
        return f"state of {self.router}"
