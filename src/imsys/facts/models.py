"""Facts, each with the time it was read. Unknown is a state of its own: no row, or an old one."""

from django.db import models


class RouterFacts(models.Model):
    """What one router's tables said at `read_at`.

    suspended_online: suspended subscribers with a session; entitled_cut: subscribers who may be online but whose row
    on the router is cut. Those without a row are known from their sync states.
    """

    router = models.OneToOneField("network.Router", primary_key=True, on_delete=models.CASCADE, db_constraint=False)
    read_at = models.DateTimeField()
    online = models.IntegerField()
    suspended_online = models.IntegerField()
    entitled_cut = models.IntegerField()
    unmanaged = models.IntegerField(null=True)

    def __str__(self) -> str:
        return f"facts of router {self.router_id}"
