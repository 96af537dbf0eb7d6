"""Wake-ups. They say where to look, never what happened; what is due stands in rows, so a lost one costs only time."""

from collections.abc import Iterable

from imsys.conf.sql import execute

CHANNEL = "imsys_wake"
EVERYBODY = "all"
MOST_NAMED = 300


def wake(router_ids: Iterable[int] | None) -> None:
    """Tell the keepers of these routers (None: of all) to look, when the current transaction commits."""
    payload = EVERYBODY if router_ids is None else _payload(set(router_ids))
    if payload:
        execute("select pg_notify(%s, %s)", [CHANNEL, payload])


def _payload(router_ids: set[int]) -> str:
    if len(router_ids) > MOST_NAMED:
        return EVERYBODY
    return ",".join(map(str, sorted(router_ids)))
