"""One router's link: how a keeper comes in, what it then works with, and how long it waits after a failure."""

import contextlib
import logging
import random
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import psycopg

from imsys.fleet.cycle import Hands
from imsys.fleet.entries import Happening
from imsys.fleet.executor import Executor
from imsys.fleet.greeting import Greeting, greet
from imsys.fleet.intake import RouterRow
from imsys.fleet.leases import Lease
from imsys.fleet.observer import Observer
from imsys.fleet.pacing import Allowance
from imsys.fleet.records import LASTING, Records
from imsys.fleet.settling import Settling
from imsys.fleet.timing import Timing
from imsys.kit.backoff import delay_s
from imsys.kit.clock import Clock
from imsys.kit.errors import ImsysError, PermanentError
from imsys.routeros.client import Client
from imsys.routeros.dial import Dial
from imsys.routeros.endpoint import Endpoint, Limits
from imsys.vault.box import ROUTER_PASSWORD, SUBSCRIBER_PASSWORD

log = logging.getLogger(__name__)


class Link:
    """`hands` is None while there is no connection. `dial`: how to reach the router, None for TCP."""

    def __init__(
        self,
        lease: Lease,
        records: Records,
        *,
        clock: Clock,
        chance: random.Random,
        timing: Timing,
        unseal: Callable[[bytes, str], str],
        fingerprint: Callable[[str], bytes],
        dial: Callable[[Endpoint], Dial] | None,
        limits: Limits,
    ) -> None:
        self.hands: Hands | None = None
        self._lease, self._records = lease, records
        self._clock, self._chance, self._timing = clock, chance, timing
        self._unseal, self._fingerprint, self._dial, self._limits = unseal, fingerprint, dial, limits
        self._kicks = Allowance(1, clock=clock)
        self._access: tuple[object, ...] = ()
        self._failures = 0
        self._down_since: float | None = None

    def is_stale(self, router: RouterRow) -> bool:
        """Is there a connection that is closed by now, or was made with what the router's row says no more?"""
        return self.hands is not None and (router.access != self._access or not self.hands.observer.client.is_open)

    def waits_s(self, router: RouterRow, now: datetime) -> float:
        """Seconds until the next try; new credentials end the wait that the old ones earned."""
        if router.next_attempt_at is None or router.access != self._access:
            return 0.0
        return max(0.0, (router.next_attempt_at - now).total_seconds())

    async def connect(self, router: RouterRow) -> bool:
        """Come in, and write down that the router answers. True when it had been lost, so that all is to be read."""
        self._access = router.access
        endpoint = router.endpoint(self._unseal(bytes(router.password_sealed), ROUTER_PASSWORD))
        client = await Client.connect(
            endpoint,
            clock=self._clock,
            dial=self._dial(endpoint) if self._dial is not None else None,
            limits=replace(self._limits, pace_per_s=router.pace_per_s),
            fence=self._lease.check,
        )
        try:
            answer = await greet(client)
            await self._record_return(router, answer)
        except BaseException:
            await client.close()
            raise
        self.hands = Hands(
            Observer(client, self._fingerprint),
            Executor(client, lambda sealed: self._unseal(sealed, SUBSCRIBER_PASSWORD), self._timing.ids_at_once),
            self._records,
            self._clock,
            self._chance,
            self._timing,
            Settling(answer.uptime_s, clock=self._clock, timing=self._timing),
            self._kicks,
            answer.serial,
        )
        was_lost = self._down_since is not None or bool(router.condition)
        self._down_since = None
        return was_lost

    async def _record_return(self, router: RouterRow, answer: Greeting) -> None:
        now = self._clock.now()
        await self._records.reached(answer, now=now)
        if router.condition and router.condition not in LASTING:
            log.info("router back", extra={"router": router.name})
            await self._records.tell([Happening("router-up")], router_name=router.name, now=now)

    def set_pace(self, router: RouterRow) -> None:
        """How many sessions may be ended in a second, as the router's row says now."""
        self._kicks.per_s = router.kicks_per_s

    def worked(self) -> None:
        """A turn was done over it: what failed before counts no more."""
        self._failures = 0

    async def failed(self, router: RouterRow, error: ImsysError) -> float:
        """Record why the router cannot be worked on; seconds until it is tried again."""
        await self.hang_up()
        self._failures += 1
        mono = self._clock.monotonic()
        if self._down_since is None:
            self._down_since = mono
        delay = self._backoff(error, mono - self._down_since)
        now = self._clock.now()
        is_new = error.code != router.condition
        if is_new:
            log.warning("router lost", extra={"router": router.name, "reason": error.code})
        is_permanent = isinstance(error, PermanentError)
        what = "router-refused" if is_permanent else "router-down"
        happening = Happening(what, cause=error.code, note=str(error)) if is_new else None
        with contextlib.suppress(psycopg.Error):
            await self._records.failed(
                error,
                now=now,
                failures=self._failures,
                retry_at=now + timedelta(seconds=delay),
                is_reachable=is_permanent,
                happening=happening,
                router_name=router.name,
            )
        return delay

    def _backoff(self, error: ImsysError, down_s: float) -> float:
        timing, jitter = self._timing, self._chance.uniform(-self._timing.jitter, self._timing.jitter)
        if isinstance(error, PermanentError):
            return timing.refused_s * (1 + jitter)
        cap = timing.down_soon_s if down_s < timing.down_long_s else timing.down_late_s
        return delay_s(self._failures, first_s=timing.down_first_s, cap_s=cap, jitter=jitter)

    async def hang_up(self) -> None:
        if self.hands is None:
            return
        client, self.hands = self.hands.observer.client, None
        await client.close()
