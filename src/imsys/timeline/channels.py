"""The channels that messages go to, by way of apprise. Their addresses hold tokens: none leaves this module.

A channel is known to people by its place in the settings, and to the database by a keyed digest of its address.
"""

import re
import warnings
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from django.conf import settings

from imsys.conf.environment import Hidden
from imsys.conf.secrets import vault
from imsys.timeline.messages import Message
from imsys.timeline.models import Severity

if TYPE_CHECKING:
    import apprise

SEND_S = 20.0
"""Longer than that no channel is waited for."""

SETTINGS = {
    "info": "IMSYS_NOTIFY_URLS",
    "warning": "IMSYS_NOTIFY_WARNING_URLS",
    "critical": "IMSYS_NOTIFY_CRITICAL_URLS",
}
_ANSWER = re.compile(r"\berror ?= ?(\d{3})\b")
_SCHEME = re.compile(r"([a-z][a-z0-9+]{0,20})://", re.IGNORECASE)


@dataclass(frozen=True)
class Target:
    """One address of the settings. `name` says which, and no secret; `severity` is the least that it is told of."""

    name: str
    severity: str
    url: Hidden

    @cached_property
    def mark(self) -> str:
        return vault().fingerprint(self.url.text).hex()

    @property
    def severities(self) -> list[str]:
        return Severity.values[Severity.values.index(self.severity) :]


def targets() -> list[Target]:
    """Every address once, with the widest of the settings that name it."""
    found: dict[str, Target] = {}
    for severity in Severity.values:
        for number, url in enumerate(settings.NOTIFY_URLS[severity], 1):
            scheme = _SCHEME.match(url.text)
            shown = f"{scheme[1].lower()}://****" if scheme else "****"
            found.setdefault(url.text, Target(f"{SETTINGS[severity]} #{number} {shown}", severity, url))
    return list(found.values())


def send(target: Target, message: Message) -> str:
    """What went wrong, without a secret; empty when the channel took the message."""
    channel = _open(target.url)
    if channel is None:
        return "not an address that apprise knows"
    with channel.notify(
        title=message.title,
        body=message.body,
        notify_type=_notify_type(message.severity),
        timeout=SEND_S,
    ) as result:
        if result:
            return ""
        return _reason(" ".join(entry.message for entry in result.logs()))


def _open(url: Hidden) -> "apprise.Apprise | None":
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", DeprecationWarning
        )  # of what its plugins import when the first one is asked for
        import apprise

        channel = apprise.Apprise(asset=apprise.AppriseAsset(app_id="IMSys", app_desc="IMSys", app_url=""))
        return channel if channel.add(url.text) else None


def _notify_type(severity: str) -> "apprise.NotifyType":
    from apprise import NotifyType

    by_severity = {
        "critical": NotifyType.FAILURE,
        "warning": NotifyType.WARNING,
        "info": NotifyType.INFO,
    }
    return by_severity.get(severity, NotifyType.SUCCESS)


def _reason(said: str) -> str:
    """apprise's own words may quote an address; what they say of the cause is told in ours."""
    if answer := _ANSWER.search(said):
        return f"it answered {answer[1]}"
    if "onnection error" in said or "timed out" in said.lower():
        return "it could not be reached"
    return "the message was not taken"
