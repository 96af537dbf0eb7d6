"""What happened (`Event`), and to many at once (`Change`); what waits for a person (`Hold`).

What is wrong (`Incident`), and who was told of it.

Events are append-only: a trigger refuses changes, and only retention may delete (see services.prune).
"""

from typing import ClassVar

from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

# The events that a subscriber has a name from, or until.
NAMING = ("added", "removed", "renamed")


class Event(models.Model):
    """One thing that happened. It names its subscriber and router by id and by text, and outlives both.

    `change_id`: the Change that it is a part of.
    """

    at = models.DateTimeField(db_default=Now())
    actor = models.TextField()
    what = models.TextField()
    subscriber_id = models.BigIntegerField(null=True)
    username = models.TextField(db_default="", default="")
    router_id = models.BigIntegerField(null=True)
    router = models.TextField(db_default="", default="")
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)
    cause = models.TextField(db_default="", default="")
    note = models.TextField(db_default="", default="")
    change_id = models.BigIntegerField(null=True)

    class Meta:
        ordering: ClassVar = ["-pk"]
        indexes: ClassVar = [
            models.Index(
                fields=["subscriber_id", "id"], condition=Q(subscriber_id__isnull=False), name="event_subscriber"
            ),
            # who bore a name, and when: enough to find the ids, and bulk changes do not pay for it
            models.Index(fields=["username"], condition=Q(what__in=NAMING), name="event_naming"),
            models.Index(fields=["router_id", "id"], condition=Q(router_id__isnull=False), name="event_router"),
            # the events of a change stand together: blocks are enough to find them, and cost next to nothing
            BrinIndex(fields=["change_id"], autosummarize=True, name="event_change"),
        ]

    def __str__(self) -> str:
        return f"{self.what} {self.username or self.router} by {self.actor}"


class Change(models.Model):
    """What was done to many in one step, so that it can be undone in one: its events have its id.

    `router`: when it was about a whole one. `cause`: when it was about suspensions for one. `count`: subscribers that
    it altered. `undoes`: the change that this one took back; to take this one back is to do that again.
    """

    class What(models.TextChoices):
        SUSPEND = "suspend"
        RESUME = "resume"
        EXPIRE = "expire"
        IMPORT = "import"
        UNDO = "undo"

    at = models.DateTimeField(db_default=Now())
    actor = models.TextField()
    what = models.TextField(choices=What)
    router = models.TextField(default="", db_default="")
    cause = models.TextField(default="", db_default="")
    count = models.IntegerField()
    undone_at = models.DateTimeField(null=True)
    undone_by = models.TextField(default="", db_default="")
    undoes = models.ForeignKey("self", models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering: ClassVar = ["-pk"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(what__in=["suspend", "resume", "expire", "import", "undo"]), name="change_what"
            ),
        ]

    def __str__(self) -> str:
        return f"change {self.pk}: {self.what} {self.count}"


class Held(models.TextChoices):
    """What is held: steps on a router, or suspensions of whoever is expired there, which no router was told of yet."""

    STEPS = "steps"
    EXPIRY = "expiry"


class Hold(models.Model):
    """What machines concluded for one router and nobody asked for, and which waits until a person decides.

    `steps`: what is held, one object each, the same at each look: its `mark` says whether it is the same.
    `serial`: of the hardware that it is about, where that is another than was known.
    `state`: waiting; approved and not done yet; rejected and not over, so that nobody is told of the same again; over.
    """

    class State(models.TextChoices):
        WAITING = "waiting"
        APPROVED = "approved"
        REJECTED = "rejected"
        OVER = "over"

    kind = models.TextField(choices=Held)
    router_id = models.BigIntegerField()
    router = models.TextField()
    code = models.TextField()
    text = models.TextField()
    steps = models.JSONField()
    serial = models.TextField(default="", db_default="")
    state = models.TextField(choices=State, default=State.WAITING, db_default=State.WAITING.value)
    opened_at = models.DateTimeField(db_default=Now())
    changed_at = models.DateTimeField(db_default=Now())
    decided_at = models.DateTimeField(null=True)
    decided_by = models.TextField(default="", db_default="")
    over_at = models.DateTimeField(null=True)

    class Meta:
        ordering: ClassVar = ["-pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["router_id", "kind"], condition=Q(state="waiting"), name="hold_waiting"),
            models.CheckConstraint(condition=Q(kind__in=Held.values), name="hold_kind"),
            models.CheckConstraint(
                condition=Q(state__in=["waiting", "approved", "rejected", "over"]), name="hold_state"
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["router_id"], condition=~Q(state="over"), name="hold_standing"),
            models.Index(fields=["over_at"], name="hold_over"),
        ]

    def __str__(self) -> str:
        return f"hold {self.pk} on {self.router}"


class Severity(models.TextChoices):
    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


class Incident(models.Model):
    """Something that is not as it should be, from when it was seen until it was seen to be over.

    What comes back soon after its end is the same incident: `count` says how often it was there. It is told from
    `tell_from` on. `told_at` and `told_end_at` are when somebody was first told that it is there, and that it is over.
    """

    kind = models.TextField()
    subject = models.TextField()
    severity = models.TextField(choices=Severity)
    text = models.TextField()
    remedy = models.TextField(default="", db_default="")
    opened_at = models.DateTimeField(db_default=Now())
    closed_at = models.DateTimeField(null=True)
    tell_from = models.DateTimeField(db_default=Now())
    told_at = models.DateTimeField(null=True)
    told_end_at = models.DateTimeField(null=True)
    count = models.IntegerField(default=1, db_default=1)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["kind", "subject"], condition=Q(closed_at=None), name="incident_open"),
            models.CheckConstraint(condition=Q(severity__in=Severity.values), name="incident_severity"),
        ]
        indexes: ClassVar = [models.Index(fields=["closed_at"], name="incident_closed")]

    def __str__(self) -> str:
        return f"{self.kind} {self.subject}"


class Channel(models.Model):
    """Where messages go, and how that went last. `mark` recognises its address, which itself stands in no table."""

    mark = models.TextField(primary_key=True)
    failures = models.IntegerField(default=0, db_default=0)
    next_attempt_at = models.DateTimeField(db_default=Now())
    last_sent_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"channel {self.mark[:8]}"


class Telling(models.Model):
    """What a channel knows of an incident: that it is there, and after `told_end_at` that it is over."""

    incident = models.ForeignKey(Incident, models.CASCADE)
    channel = models.ForeignKey(Channel, models.CASCADE)
    told_at = models.DateTimeField(db_default=Now())
    told_end_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["incident", "channel"], name="telling_once")]

    def __str__(self) -> str:
        return f"{self.channel} knows of {self.incident}"
