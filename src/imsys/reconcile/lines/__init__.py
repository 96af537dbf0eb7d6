"""What each service is made of on a router: its rows, what must not be there, and what is live through it."""

from imsys.reconcile.intent import Service
from imsys.reconcile.lines.base import Line
from imsys.reconcile.lines.hotspot import HOTSPOT
from imsys.reconcile.lines.pppoe import PPPOE
from imsys.reconcile.lines.static import STATIC

LINES: dict[Service, Line] = {"pppoe": PPPOE, "static": STATIC, "hotspot": HOTSPOT}

__all__ = ["LINES", "Line"]
