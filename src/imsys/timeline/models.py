"""What happened: one append-only table. A trigger refuses changes; only retention may delete (see services.prune)."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

# The events that a subscriber has a name from, or until.
NAMING = ("added", "removed", "renamed")


class Event(models.Model):
    """One thing that happened. It names its subscriber and router by id and by text, and outlives both."""

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

    class Meta:
        ordering: ClassVar = ["-pk"]
        indexes: ClassVar = [
            models.Index(
                fields=["subscriber_id", "id"], condition=Q(subscriber_id__isnull=False), name="event_subscriber"
            ),
            # who bore a name, and when: enough to find the ids, and bulk changes do not pay for it
            models.Index(fields=["username"], condition=Q(what__in=NAMING), name="event_naming"),
            models.Index(fields=["router_id", "id"], condition=Q(router_id__isnull=False), name="event_router"),
        ]

    def __str__(self) -> str:
        return f"{self.what} {self.username or self.router} by {self.actor}"
