"""What the business wants: packages, subscribers and suspensions; and how far the routers have followed.

Written by `subscribers.services` only, but for two: `SyncState` is also written by the fleet, which records what it
applied and saw; so is `Departure`, which it deletes when nothing is left to do.
"""

from typing import ClassVar

from django.contrib.postgres.indexes import OpClass
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower, Now

from imsys.network.models import Router

MAX_USERNAME = 64


class Service(models.TextChoices):
    PPPOE = "pppoe"
    STATIC = "static"
    HOTSPOT = "hotspot"


class Cause(models.TextChoices):
    """Why a service is off. `expiry` is the machine's own; people give the others."""

    EXPIRY = "expiry"
    NON_PAYMENT = "non-payment"
    ABUSE = "abuse"
    REQUEST = "request"
    OTHER = "other"


class SyncStatus(models.TextChoices):
    PENDING = "pending"
    SYNCED = "synced"
    ERROR = "error"


class Apply(models.TextChoices):
    """When a session feels a change that needs a new login: it is ended now, or the line's next login brings it."""

    NOW = "now"
    NEXT_LOGIN = "next-login"


class Package(models.Model):
    """What is sold: a speed, a price, a number of days.

    With a `profile` it refers to a profile that people own and IMSys never writes, in the PPP menu or the hotspot's,
    as its subscribers need; without one it owns a profile of its own name there. `rate_limit` is kept as typed,
    because RouterOS keeps it as typed too; it is compared by meaning. `limit_uptime` (a RouterOS duration, blank for
    none), `limit_bytes` (0 for none) and `shared_users` matter to hotspot lines alone.
    """

    name = models.TextField()
    profile = models.TextField(default="", blank=True)
    rate_limit = models.TextField(default="", blank=True)
    price = models.DecimalField(max_digits=12, decimal_places=2, validators=[MinValueValidator(0)])
    days = models.IntegerField(default=30, validators=[MinValueValidator(1)])
    apply = models.TextField(choices=Apply, default=Apply.NEXT_LOGIN, db_default=Apply.NEXT_LOGIN.value)
    shared_users = models.IntegerField(default=1, db_default=1)
    limit_uptime = models.TextField(default="", db_default="", blank=True)
    limit_bytes = models.BigIntegerField(default=0, db_default=0)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering: ClassVar = ["name"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["name"], name="package_name"),
            models.CheckConstraint(condition=~Q(name=""), name="package_name_given"),
            models.CheckConstraint(condition=Q(price__gte=0), name="package_price"),
            models.CheckConstraint(condition=Q(days__gte=1), name="package_days"),
            models.CheckConstraint(condition=Q(apply__in=Apply.values), name="package_apply"),
            models.CheckConstraint(condition=Q(shared_users__range=(1, 1_000)), name="package_shared_users"),
            models.CheckConstraint(condition=Q(limit_bytes__gte=0), name="package_limit_bytes"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def owns_profile(self) -> bool:
        return not self.profile

    @property
    def profile_name(self) -> str:
        """The profile of its subscribers on the router, in the menu of their service."""
        return self.profile or self.name


class Subscriber(models.Model):
    """Who pays for one line. A blank password (both columns null) is not managed; a blank address or MAC is none.

    A PPPoE line's `mac` locks it to one device and may stand with several lines (one device may dial for two); with
    the other services it names the device, which a router knows once. `is_enforced`: kept right also while the router
    is only observed.
    """

    username = models.TextField()
    service = models.TextField(choices=Service, default=Service.PPPOE)
    router = models.ForeignKey(Router, models.PROTECT, related_name="subscribers")
    package = models.ForeignKey(Package, models.PROTECT, related_name="subscribers")
    password_sealed = models.BinaryField(null=True)
    password_mac = models.BinaryField(null=True)
    address = models.TextField(default="", db_default="", blank=True)
    mac = models.TextField(default="", db_default="", blank=True)
    full_name = models.TextField(default="", db_default="", blank=True)
    phone = models.TextField(default="", db_default="", blank=True)
    email = models.TextField(default="", db_default="", blank=True)
    note = models.TextField(default="", db_default="", blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    is_suspended = models.BooleanField(default=False, db_default=False)
    is_enforced = models.BooleanField(default=False, db_default=False)
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering: ClassVar = ["username"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["username"], name="subscriber_username"),
            models.UniqueConstraint(fields=["router", "address"], condition=~Q(address=""), name="subscriber_address"),
            models.UniqueConstraint(
                fields=["router", "mac"], condition=~Q(mac="") & ~Q(service=Service.PPPOE.value), name="subscriber_mac"
            ),
            models.CheckConstraint(condition=~Q(username=""), name="subscriber_username_given"),
            models.CheckConstraint(
                condition=~Q(service=Service.STATIC.value) | ~Q(address=""), name="subscriber_static_address"
            ),
            models.CheckConstraint(condition=Q(service__in=Service.values), name="subscriber_service"),
            models.CheckConstraint(
                condition=Q(password_sealed__isnull=True, password_mac__isnull=True)
                | Q(password_sealed__isnull=False, password_mac__isnull=False),
                name="subscriber_password_whole",
            ),
        ]
        indexes: ClassVar = [
            # finds usernames that differ by case alone, and serves the search by first letters
            models.Index(OpClass(Lower("username"), name="text_pattern_ops"), name="subscriber_username_lower"),
            # finds whose service has ended, and who is enforced on a router that is observed
            models.Index(fields=["expires_at"], condition=Q(expires_at__isnull=False), name="subscriber_expires"),
            models.Index(fields=["router"], condition=Q(is_enforced=True), name="subscriber_enforced"),
            # says which services a router has besides PPPoE, which most have alone
            models.Index(fields=["router", "service"], condition=~Q(service="pppoe"), name="subscriber_other_service"),
        ]

    def __str__(self) -> str:
        return self.username


class SyncState(models.Model):
    """How far the router has followed a subscriber's intent. Narrow, because it changes with every run.

    `applied_mac` is the fingerprint of the password last put on the router, for routers that hide passwords.
    `has_lock`: we put a lock to one MAC there, so it is ours to clear. `made_at`: since when the rows stand on the
    router, null after a move until they do. `kick_owed`: the session is to be ended once the change is confirmed.
    Due: not `synced`, and `next_attempt_at` has passed. `router_id` repeats the subscriber's, for the index that finds
    what is due.
    """

    subscriber = models.OneToOneField(Subscriber, models.CASCADE, primary_key=True, related_name="sync")
    router_id = models.BigIntegerField()
    generation = models.IntegerField(default=1, db_default=1)
    applied_generation = models.IntegerField(default=0, db_default=0)
    sync_status = models.TextField(choices=SyncStatus, default=SyncStatus.PENDING, db_default=SyncStatus.PENDING.value)
    sync_error = models.TextField(default="", db_default="")
    error_code = models.TextField(default="", db_default="")
    attempts = models.IntegerField(default=0, db_default=0)
    next_attempt_at = models.DateTimeField(null=True, db_default=Now())
    wanted_at = models.DateTimeField(db_default=Now())
    applied_at = models.DateTimeField(null=True)
    last_synced_at = models.DateTimeField(null=True)
    kick_owed = models.BooleanField(default=False, db_default=False)
    applied_mac = models.BinaryField(null=True)
    made_at = models.DateTimeField(null=True)
    has_lock = models.BooleanField(default=False, db_default=False)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(sync_status__in=SyncStatus.values), name="sync_status"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["router_id", "next_attempt_at"], condition=~Q(sync_status="synced"), name="sync_due"),
        ]

    def __str__(self) -> str:
        return f"{self.subscriber} {self.sync_status}"


class Suspension(models.Model):
    """One reason why a subscriber's service is off. Deleted when lifted; the timeline keeps the history."""

    subscriber = models.ForeignKey(Subscriber, models.CASCADE, related_name="suspensions", db_index=False)
    cause = models.TextField(choices=Cause)
    note = models.TextField(default="", db_default="", blank=True)
    by = models.TextField(default="", db_default="")
    since = models.DateTimeField(db_default=Now())

    class Meta:
        ordering: ClassVar = ["since", "pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["subscriber", "cause"], name="suspension_once_per_cause"),
            models.CheckConstraint(condition=Q(cause__in=Cause.values), name="suspension_cause"),
        ]

    def __str__(self) -> str:
        return f"{self.subscriber}: {self.cause}"


class Departure(models.Model):
    """A subscriber moved away from this router, where rows of theirs may remain. Deleted when none do."""

    subscriber = models.ForeignKey(Subscriber, models.CASCADE, related_name="departures", db_index=False)
    router = models.ForeignKey(Router, models.CASCADE, related_name="departures", db_index=False)
    since = models.DateTimeField(db_default=Now())

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["subscriber", "router"], name="departure_once_per_router"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["router"], name="departure_router"),
        ]

    def __str__(self) -> str:
        return f"{self.subscriber} left {self.router}"
