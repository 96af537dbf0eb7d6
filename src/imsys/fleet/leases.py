"""The right to work on a router: taken, renewed and given up, in database time.

Lease(router, owner, until, epoch). A claim raises the epoch, and every record carries it, so that a worker that was
frozen while another took over changes nothing when it wakes.
"""

import uuid
from dataclasses import dataclass, field
from datetime import datetime

from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from imsys.fleet.errors import LeaseLost
from imsys.fleet.timing import Timing
from imsys.kit.clock import Clock


@dataclass(slots=True)
class Lease:
    """One router's lease as this process knows it. `valid_until` is on the monotonic clock."""

    router_id: int
    owner: uuid.UUID
    epoch: int
    clock: Clock = field(repr=False)
    margin_s: float
    valid_until: float = 0.0

    @property
    def is_valid(self) -> bool:
        return self.clock.monotonic() < self.valid_until - self.margin_s

    def check(self) -> None:
        """Raise LeaseLost unless a write may start now."""
        if not self.is_valid:
            raise LeaseLost(f"The lease on router {self.router_id} ran out.", remedy="Another worker takes over.")


@dataclass(frozen=True, slots=True)
class Renewal:
    """What a tick found: database time, live workers, routers, and the epochs of the leases still ours."""

    database_now: datetime
    workers: int
    routers: int
    held: dict[int, int]


RENEW = """
with beat as (
    insert into fleet_worker (id, name, started_at, seen_at) values (%(me)s, %(name)s, now(), now())
    on conflict (id) do update set seen_at = now()
), mine as (
    select router_id from fleet_lease where owner = %(me)s order by router_id for update
), renewed as (
    update fleet_lease l set until = now() + make_interval(secs => %(lease_s)s)
    from mine where l.router_id = mine.router_id returning l.router_id, l.epoch
)
select now(),
       (select count(*) from fleet_worker
        where id <> %(me)s and seen_at > now() - make_interval(secs => %(lease_s)s)) + 1,
       (select count(*) from network_router),
       coalesce((select array_agg(router_id) from renewed), '{}'),
       coalesce((select array_agg(epoch) from renewed), '{}')
"""

# Both arrays come from one scan of `renewed` in the same order.

MAKE = """
insert into fleet_lease (router_id, epoch) select r.id, 0 from network_router r
where not exists (select 1 from fleet_lease l where l.router_id = r.id) on conflict do nothing
"""

CLAIM = """
with free as (
    select l.router_id from fleet_lease l join network_router r on r.id = l.router_id
    where (l.owner is null or l.until < now()) and (%(only)s::bigint[] is null or l.router_id = any(%(only)s))
    order by l.router_id limit %(limit)s for update of l skip locked
)
update fleet_lease l set owner = %(me)s, epoch = l.epoch + 1, until = now() + make_interval(secs => %(lease_s)s)
from free where l.router_id = free.router_id returning l.router_id, l.epoch
"""

RELEASE = "update fleet_lease set owner = null, until = null where owner = %s and router_id = any(%s)"
RELEASE_ALL = "update fleet_lease set owner = null, until = null where owner = %s"
DROP_DEAD = "delete from fleet_worker where seen_at < now() - interval '1 hour'"
LEAVE = "delete from fleet_worker where id = %s"


class Leases:
    """The leases of one worker process."""

    def __init__(self, *, owner: uuid.UUID, name: str, clock: Clock, timing: Timing) -> None:
        self.owner, self.name, self.clock, self.timing = owner, name, clock, timing
        self.held: dict[int, Lease] = {}

    async def renew(self, connection: AsyncConnection[TupleRow]) -> Renewal:
        """Renew all of ours. What is no longer ours disappears from `held`."""
        before = self.clock.monotonic()
        parameters = {"me": self.owner, "name": self.name, "lease_s": self.timing.lease_s}
        row = await (await connection.execute(RENEW, parameters)).fetchone()
        assert row is not None
        renewal = Renewal(row[0], row[1], row[2], dict(zip(row[3], row[4], strict=True)))
        for router_id, lease in list(self.held.items()):
            if renewal.held.get(router_id) == lease.epoch:
                lease.valid_until = before + self.timing.lease_s
            else:
                lease.valid_until = 0.0
                del self.held[router_id]
        return renewal

    async def claim(
        self, connection: AsyncConnection[TupleRow], limit: int, *, only: list[int] | None = None
    ) -> list[Lease]:
        """Take up to `limit` routers that nobody holds, in key order."""
        before = self.clock.monotonic()
        await connection.execute(MAKE)
        parameters = {"me": self.owner, "limit": limit, "lease_s": self.timing.lease_s, "only": only}
        rows = await (await connection.execute(CLAIM, parameters)).fetchall()
        taken = [
            Lease(router_id, self.owner, epoch, self.clock, self.timing.lease_margin_s, before + self.timing.lease_s)
            for router_id, epoch in rows
        ]
        self.held.update({lease.router_id: lease for lease in taken})
        return taken

    async def release(self, connection: AsyncConnection[TupleRow], router_ids: list[int]) -> None:
        """Give routers up. Their keepers must have stopped."""
        if not router_ids:
            return
        for router_id in router_ids:
            self.held.pop(router_id, None)
        await connection.execute(RELEASE, (self.owner, sorted(router_ids)))

    async def leave(self, connection: AsyncConnection[TupleRow]) -> None:
        self.held.clear()
        await connection.execute(RELEASE_ALL, (self.owner,))
        await connection.execute(LEAVE, (self.owner,))
        await connection.execute(DROP_DEAD)
