"""Who keeps which router, what we put on it, and what each run did."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now


class Worker(models.Model):
    """A process that keeps routers. It is alive while `seen_at` is recent."""

    id = models.UUIDField(primary_key=True)
    name = models.CharField(max_length=200)
    started_at = models.DateTimeField(db_default=Now())
    seen_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return self.name


class Lease(models.Model):
    """The right to work on one router. `epoch` grows with each new owner; what an older one records changes nothing."""

    router = models.OneToOneField("network.Router", primary_key=True, on_delete=models.CASCADE, db_constraint=False)
    owner = models.UUIDField(null=True)
    until = models.DateTimeField(null=True)
    epoch = models.BigIntegerField(db_default=0)

    class Meta:
        indexes = (models.Index(fields=["owner"], name="fleet_lease_owner"),)

    def __str__(self) -> str:
        return f"router {self.router_id}, epoch {self.epoch}"


class Placement(models.Model):
    """A row that we put on a router or adopted. Without an owner it is a ghost, to be removed when the router can.

    `is_shared`: it has no owner since all who are cut off by it need it. In a menu of sessions: one that began under
    a name that the subscriber had before.

    `is_asked`: whoever removed its owner on purpose said so here; a ghost without that is nobody's wish.

    `gone_at`: it was a ghost and its row was seen to be gone. It is remembered for a while, since an admin's safe mode
    or a crash may bring the row back, and then it is removed again: if it says what `gone_mark` was made of when we
    removed it. Another row of that key is somebody else's.
    """

    router = models.ForeignKey("network.Router", on_delete=models.CASCADE, db_constraint=False)
    menu = models.CharField(max_length=60)
    key = models.TextField()
    subscriber = models.ForeignKey("subscribers.Subscriber", null=True, on_delete=models.SET_NULL, db_constraint=False)
    package = models.ForeignKey("subscribers.Package", null=True, on_delete=models.SET_NULL, db_constraint=False)
    is_shared = models.BooleanField(default=False, db_default=False)
    is_asked = models.BooleanField(default=False, db_default=False)
    gone_mark = models.TextField(default="", db_default="")
    gone_at = models.DateTimeField(null=True)
    placed_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = (models.UniqueConstraint(fields=["router", "menu", "key"], name="fleet_placement_key"),)
        indexes = (
            models.Index(
                fields=["router"],
                name="fleet_placement_ghosts",
                condition=models.Q(subscriber__isnull=True, package__isnull=True),
            ),
        )

    def __str__(self) -> str:
        return f"{self.menu} {self.key}"


class Unmanaged(models.Model):
    """A login that stands on a router and that nobody here owns, and what a person decided about it.

    `decision`: keep, quarantine or remove; blank: the router's policy counts. `gone_at`: since when it is not there any
    more, or is somebody's; it is remembered for a while, so that a decision outlasts an admin's safe mode.
    """

    router = models.ForeignKey(
        "network.Router", on_delete=models.CASCADE, related_name="unmanaged_rows", db_constraint=False
    )
    menu = models.TextField()
    key = models.TextField()
    is_disabled = models.BooleanField()
    is_live = models.BooleanField()
    shown = models.JSONField()
    decision = models.TextField(default="", db_default="")
    decided_by = models.TextField(default="", db_default="")
    decided_at = models.DateTimeField(null=True)
    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    gone_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["router", "menu", "key"], name="fleet_unmanaged_key"),
            models.CheckConstraint(
                condition=models.Q(decision__in=["", "keep", "quarantine", "remove"]), name="fleet_unmanaged_decision"
            ),
        )

    def __str__(self) -> str:
        return f"{self.menu} {self.key}"


class Fight(models.Model):
    """One field of one row that was put back lately, see reconcile/fights.py. A fight from `begun_at` on.

    `field`: `row` where it is about the row being there, `place` about where it stands. `over_at`: it counts no more
    from then on. `found`, `wanted`: as printed, secrets masked.
    """

    router = models.ForeignKey("network.Router", on_delete=models.CASCADE, db_constraint=False)
    menu = models.CharField(max_length=60)
    key = models.TextField()
    field = models.CharField(max_length=60)
    repaired_at = ArrayField(models.DateTimeField())
    pauses = models.IntegerField(default=0, db_default=0)
    paused_until = models.DateTimeField(null=True)
    begun_at = models.DateTimeField(null=True)
    over_at = models.DateTimeField()
    who = models.TextField(default="", db_default="")
    found = models.TextField(default="", db_default="")
    wanted = models.TextField(default="", db_default="")

    class Meta:
        constraints = (models.UniqueConstraint(fields=["router", "menu", "key", "field"], name="fleet_fight_spot"),)
        indexes = (models.Index(fields=["router", "over_at"], name="fleet_fight_over"),)

    def __str__(self) -> str:
        return f"{self.field} of {self.menu} {self.key}"


class Run(models.Model):
    """One pass over one router that read everything or changed something."""

    router = models.ForeignKey("network.Router", on_delete=models.CASCADE, db_constraint=False)
    kind = models.CharField(max_length=10)  # due | resync
    worker = models.UUIDField(null=True)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(db_default=Now())
    result = models.CharField(max_length=12)  # ok | observed | unreachable | refused | held | failed
    note = models.TextField(blank=True, db_default="")
    subscribers = models.IntegerField(db_default=0)
    drifted = models.IntegerField(db_default=0)
    repaired = models.IntegerField(db_default=0)
    unmanaged = models.IntegerField(db_default=0)
    commands = models.IntegerField(db_default=0)
    writes = models.IntegerField(db_default=0)
    rows = models.IntegerField(db_default=0)

    class Meta:
        indexes = (
            models.Index(fields=["router", "-id"], name="fleet_run_router"),
            models.Index(fields=["ended_at"], name="fleet_run_ended"),
        )

    def __str__(self) -> str:
        return f"{self.kind} run of router {self.router_id}"
