"""Who acts on a simulated router: its users and groups, and the actor that a write or a log line names."""

from dataclasses import dataclass, field

POLICIES = tuple(
    "local telnet ssh ftp reboot read write policy test winbox password web sniff sensitive api romon rest-api".split()
)
ALL_POLICIES = frozenset(POLICIES)
GROUPS: dict[str, frozenset[str]] = {
    "read": ALL_POLICIES - {"ftp", "write", "policy"},
    "write": ALL_POLICIES - {"ftp", "policy"},
    "full": ALL_POLICIES,
}


@dataclass(frozen=True, slots=True)
class SimUser:
    """A login of the router. `policies`, when given, makes a group of that user's own, named `group`."""

    password: str = field(default="", repr=False)
    group: str = "full"
    address: str = ""
    policies: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does something, by which way in: `via` is api, api-ssl, winbox, mac-winbox, console, ssh, telnet or web."""

    user: str
    via: str = "api"
    address: str = "127.0.0.1"
    policies: frozenset[str] = ALL_POLICIES

    def may(self, policy: str) -> bool:
        return policy in self.policies

    def log_text(self, action: int, *, is_v6: bool) -> str:
        """How log lines name the actor."""
        if is_v6:
            return self.user
        if self.via == "winbox":
            return f"tcp-msg(winbox):{self.user}@{self.address}/action:{action}"
        if self.via == "mac-winbox":
            return f"mac-msg(winbox):{self.user}@{self.address}/terminal/action:{action}"
        if self.via in ("api", "api-ssl"):
            return f"api:{self.user}@::/action:{action}"
        return f"{self.via}:{self.user}@{self.address}/action:{action}"


OUTSIDER = Actor("admin", via="console", address="local")


def render_policies(granted: frozenset[str]) -> str:
    """The printed form of a group's policies: all of them, those not granted with a bang."""
    return ",".join(word if word in granted else f"!{word}" for word in POLICIES)


def parse_policies(text: str) -> frozenset[str]:
    return frozenset(word for word in text.split(",") if word and not word.startswith("!"))
