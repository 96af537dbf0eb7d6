"""Which RouterOS is simulated: what its version decides, and a switch for each behaviour that nobody has proven.

What is known for a version follows from `Version`; what is UNVERIFIED, or differs between builds in ways that no
version number explains, is a field of `Behaviour`, so that a test can run against both answers.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from imsys.kit.errors import InputError


@dataclass(frozen=True, slots=True)
class Version:
    """A RouterOS version and what is known to depend on it."""

    text: str
    number: tuple[int, int, int]
    channel: str

    @classmethod
    def parse(cls, text: str) -> "Version":
        match = re.fullmatch(r"(\d+)\.(\d+)(?:\.(\d+))?(?:beta\d+|rc\d+)?(?: \(([\w-]+)\))?", text)
        if match is None:
            raise InputError(
                f"{text!r} is not a RouterOS version.", remedy="Write 7.16.2 or 6.49.15.", code="BadVersion"
            )
        major, minor, patch, channel = match.groups()
        return cls(text.split(" ")[0], (int(major), int(minor), int(patch or 0)), channel or "stable")

    @property
    def is_v6(self) -> bool:
        return self.number < (7,)

    @property
    def has_iso_dates(self) -> bool:
        """From 7.10: `2023-07-14 19:24:07`; before: `jul/14/2023 19:24:07`."""
        return self.number >= (7, 10)

    @property
    def says_empty(self) -> bool:
        """From 7.18 a print without rows sends `!empty` before its `!done`."""
        return self.number >= (7, 18)

    @property
    def has_challenge_login(self) -> bool:
        """Before 6.43 a login is answered with a challenge."""
        return self.number < (6, 43)

    @property
    def has_show_sensitive(self) -> bool:
        """From 7.21 print takes `show-sensitive`."""
        return self.number >= (7, 21)

    def __str__(self) -> str:
        return f"{self.text} ({self.channel})"


@lru_cache(maxsize=64)
def parse_version(text: str) -> Version:
    return Version.parse(text)


@dataclass(frozen=True, slots=True)
class Behaviour:
    """Switches for what is not proven about RouterOS. Each default is the answer that most reports support.

    docs/reference/simulator.md has a line for each; a test sees to that.
    """

    # What a change does to sessions that are up (reports: nothing).
    disable_drops_session: bool = False
    remove_drops_session: bool = False
    profile_change_drops_session: bool = False
    rate_change_is_live: bool = False

    # PPP authentication.
    local_address_required: bool = True
    only_one: Literal["refuse", "drop-first"] = "refuse"

    # Identity and names.
    reuse_ids: bool = False
    renumber_on_reboot: bool = False
    names_case_sensitive: bool = True
    same_name_other_service: bool = False
    prefix_match: bool = True
    position_match: bool = True
    profile_in_use: Literal["dangling", "refused"] = "dangling"
    duplicate_profile_text: str = "failure: profile with the same name already exists"

    # Rows that the router makes itself, and leases.
    dynamic_queue_edit: Literal["refused", "accepted"] = "refused"
    dynamic_lease_edit: Literal["refused", "accepted"] = "refused"
    lease_changes_are_live: bool = False
    make_static_renumbers: bool = False
    disabled_lease_frees_address: bool = False

    # Hotspot.
    hotspot_disable_drops_session: bool = False
    hotspot_remove_drops_session: bool = False
    hotspot_all_clashes: bool = False
    hotspot_server_all: Literal["absent", "printed"] = "absent"
    duplicate_binding: Literal["accepted", "refused"] = "accepted"
    binding_reaches_hosts: Literal["waiting", "none", "all"] = "waiting"
    logout_takes_all_devices: bool = False

    # Printed forms.
    filter_prints_defaults: bool = False
    list_timeout_counts_down: bool = False
    sensitive_placeholder: str = "*****"
    hides_without_show_sensitive: bool = False
    unset_address: Literal["absent", "zero"] = "absent"
    never_logged_out: Literal["absent", "epoch"] = "absent"
    active_shows_comment: bool = False
    yes_matches_true: bool = False

    # Protocol.
    empty_after_write: bool = False
    missing_id: Literal["auto", "trap", "silent"] = "auto"
    cancel_unknown_tag: Literal["done", "trap"] = "done"
    over_max_sessions: Literal["close", "hang"] = "close"
    address_error_colon: bool = False
    failed_logins_before_fatal: int = 4

    # Log.
    noop_set_logs: bool = True
    log_passwords: bool = True
    log_line_max_chars: int = 0
