"""What was learned of routers before they are kept, and what an older system said that has no other place yet."""

from typing import ClassVar

from django.db import models
from django.db.models.functions import Now

from imsys.network.models import Router
from imsys.subscribers.models import Subscriber


class Capability(models.Model):
    """What a router can do, good for as long as it runs: per menu {rows, fields}, or null where it has no such menu."""

    router = models.ForeignKey(Router, models.CASCADE, related_name="capabilities", db_index=False)
    booted_at = models.DateTimeField()
    version = models.TextField(default="", db_default="")
    serial = models.TextField(default="", db_default="")
    menus = models.JSONField()
    recorded_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering: ClassVar = ["router_id", "-booted_at"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["router", "booted_at"], name="capability_once_per_boot"),
        ]

    def __str__(self) -> str:
        return f"{self.router} since {self.booted_at:%Y-%m-%d %H:%M}"


class LegacyAccount(models.Model):
    """The money side of a subscriber in the older system, exactly as it was exported: for billing to take up later.

    `wallet_balance` is what the subscriber had there, `payment_reference` the account reference that payments carry,
    `pending_package` the package that they were to have from the next renewal on. Nothing reads these yet.
    """

    subscriber = models.OneToOneField(Subscriber, models.CASCADE, primary_key=True, related_name="legacy_account")
    wallet_balance = models.DecimalField(max_digits=38, decimal_places=18, null=True)
    payment_reference = models.TextField(default="", db_default="")
    pending_package = models.TextField(default="", db_default="")
    imported_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["payment_reference"],
                condition=~models.Q(payment_reference=""),
                name="legacy_account_payment_reference",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.subscriber}: {self.wallet_balance}"


class LegacyRouter(models.Model):
    """What the older system said of a router and no column here holds."""

    router = models.OneToOneField(Router, models.CASCADE, primary_key=True, related_name="legacy_router")
    location = models.TextField()
    imported_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return f"{self.router}: {self.location}"
