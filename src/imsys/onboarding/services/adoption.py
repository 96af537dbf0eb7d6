"""Taking over the lines of a router as subscribers: all that a map file asks for, or nothing.

Nothing is written to the router: intent is made equal to what is there, and the keeper finds it so.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from django.db import transaction
from django.utils import timezone

from imsys.kit.errors import InputError
from imsys.kit.nearest import did_you_mean
from imsys.kit.sheets import Problem
from imsys.kit.units import RateLimit
from imsys.onboarding.found import NOUNS, Found
from imsys.onboarding.mapfile import Map, MapLine
from imsys.onboarding.selectors import packages_named, routers_of
from imsys.subscribers import services
from imsys.subscribers.models import Cause
from imsys.subscribers.validation import check_password

Key = tuple[str, str]
MOST_GUESSES = 20
"""Guessing what a wrong name was meant to be takes a while among thousands."""


@dataclass(frozen=True, slots=True)
class OnRouter:
    """What the router says at the moment of adoption: its lines by service and username, its profiles by service."""

    lines: Mapping[Key, Found] = field(repr=False)
    profiles: Mapping[str, frozenset[str]]


@dataclass(slots=True)
class Adoption:
    """What was done, or would be. With any problem nothing was. expired: whose end of service has passed already."""

    subscribers: int = 0
    suspended: int = 0
    packages: list[str] = field(default_factory=list)
    already: int = 0
    left_out: int = 0
    not_in_map: int = 0
    without_password: int = 0
    expired: int = 0
    problems: list[Problem] = field(default_factory=list)


def adopt(router: str, wanted: Map, on_router: OnRouter, *, dry_run: bool = False, actor: str) -> Adoption:
    """Whoever is a subscriber of this router already stays as they are."""
    outcome = Adoption(left_out=len(wanted.left_out), problems=list(wanted.problems))
    homes = routers_of(line.username for line in wanted.lines)
    with transaction.atomic():
        new = [line for line in wanted.lines if not _is_here(line, homes, router)]
        outcome.already = len(wanted.lines) - len(new)
        outcome.not_in_map = len(on_router.lines.keys() - _mentioned(wanted))
        outcome.problems += _unknown(new, on_router)
        outcome.problems += _make_packages(new, on_router, outcome, actor)
        if not outcome.problems:
            _Adopter(router, on_router, outcome, actor).adopt(new)
        outcome.problems.sort(key=lambda problem: problem[0])
        if outcome.problems:
            outcome.subscribers, outcome.suspended, outcome.without_password, outcome.packages = 0, 0, 0, []
            outcome.expired = 0
        if dry_run or outcome.problems:
            transaction.set_rollback(True)
    return outcome


def _is_here(line: MapLine, homes: Mapping[str, str], router: str) -> bool:
    return homes.get(line.username) == router


def _mentioned(wanted: Map) -> set[Key]:
    return {(line.service, line.username) for line in wanted.lines} | set(wanted.left_out)


def _unknown(lines: Iterable[MapLine], on_router: OnRouter) -> list[Problem]:
    """Lines of the file that mean nobody on the router, somebody who can't be adopted, or one who was named before."""
    problems: list[Problem] = []
    before: dict[str, int] = {}
    for line in lines:
        found = on_router.lines.get((line.service, line.username))
        noun = NOUNS[line.service]  # type: ignore[index]
        if line.username in before:
            problems.append((line.number, f"{line.username!r} stands in line {before[line.username]} already."))
        elif found is None:
            guess = _guess(line, on_router) if len(problems) < MOST_GUESSES else ""
            problems.append((line.number, f"The router has no {noun} {line.username!r}. {guess}".rstrip()))
        elif found.obstacle:
            problems.append((line.number, f"The {noun} {line.username!r} cannot be adopted: {found.obstacle}."))
        before.setdefault(line.username, line.number)
    return problems


def _guess(line: MapLine, on_router: OnRouter) -> str:
    return did_you_mean(line.username, (name for service, name in on_router.lines if service == line.service))


def _make_packages(lines: Sequence[MapLine], on_router: OnRouter, outcome: Adoption, actor: str) -> list[Problem]:
    """A package is what the lines that name it say of it together: each says all of it, or a part, or nothing."""
    problems: list[Problem] = []
    by_package: dict[str, list[MapLine]] = {}
    for line in lines:
        by_package.setdefault(line.package, []).append(line)
        if line.profile and line.profile not in on_router.profiles[line.service]:
            known = on_router.profiles[line.service]
            guess = did_you_mean(line.profile, known)
            problems.append((line.number, f"The router has no profile {line.profile!r} for it. {guess}".rstrip()))
    there = packages_named(by_package)
    for name, of_package in by_package.items():
        said = {column: _said(of_package, column, problems) for column in ("profile", "rate", "price")}
        try:
            if name in there:
                _check_same(name, there[name], said)
            elif not said["profile"] and not said["rate"]:
                raise InputError(f"The package {name!r} is new: give its profile, or its rate.")
            else:
                services.add_package(
                    name=name,
                    profile=said["profile"],
                    rate_limit=said["rate"],
                    price=said["price"] or 0,
                    actor=actor,
                )
                outcome.packages.append(name)
        except InputError as error:
            problems.append((of_package[0].number, str(error)))
    return problems


def _said(lines: Sequence[MapLine], column: str, problems: list[Problem]) -> str:
    """The one value that the lines give; another one than the first is a problem of its line."""
    saying = [line for line in lines if getattr(line, column)]
    if not saying:
        return ""
    first, said = saying[0].number, str(getattr(saying[0], column))
    for line in saying:
        if (value := getattr(line, column)) != said:
            text = f"The package {line.package!r} has the {column} {value!r} here and {said!r} in line {first}."
            problems.append((line.number, text))
    return said


def _check_same(name: str, there: tuple[str, str], said: Mapping[str, str]) -> None:
    profile, rate = there
    if said["profile"] and said["profile"] != profile:
        shown = f"refers to the profile {profile!r}" if profile else "owns a profile of its own name"
        raise InputError(
            f"The package {name!r} is there already and {shown}, not {said['profile']!r}.",
            remedy="Name another package.",
        )
    if said["rate"] and not said["profile"] and _speed(said["rate"]) != _speed(rate):
        raise InputError(
            f"The package {name!r} is there already, at {rate or 'no limit'} and not {said['rate']}.",
            remedy="Name another package.",
        )


def _speed(text: str) -> RateLimit | None:
    return RateLimit.parse(text) if text else None


class _Adopter:
    def __init__(self, router: str, on_router: OnRouter, outcome: Adoption, actor: str) -> None:
        self.router, self.on_router, self.outcome, self.actor = router, on_router, outcome, actor
        self.suspended: dict[str, list[str]] = {}

    def adopt(self, lines: Sequence[MapLine]) -> None:
        for line in lines:
            try:
                self._adopt(line, self.on_router.lines[line.service, line.username])
            except InputError as error:
                self.outcome.problems.append((line.number, str(error)))
        for note, usernames in self.suspended.items():
            services.suspend(usernames, cause=Cause.OTHER, note=note, actor=self.actor, is_change=False)

    def _adopt(self, line: MapLine, found: Found) -> None:
        """Byte for byte, whatever else is called alike: on the router it is a line of its own."""
        services.add_subscriber(
            username=line.username,
            router=self.router,
            package=line.package,
            password=self._password(found),
            address=line.address,
            mac=line.mac,
            service=line.service,
            full_name=line.full_name,
            phone=line.phone,
            email=line.email,
            expires_at=line.expires_at,
            exact=True,
            actor=self.actor,
        )
        self.outcome.subscribers += 1
        self.outcome.expired += line.expires_at is not None and line.expires_at <= timezone.now()
        if line.suspended or (line.suspended is None and found.cut):
            self.outcome.suspended += 1
            self.suspended.setdefault(_note(found), []).append(line.username)

    def _password(self, found: Found) -> str:
        """What the router shows; where it hides it, or no login could have it, it stays the router's own."""
        try:
            password = check_password(found.password or "")
        except InputError:
            password = ""
        self.outcome.without_password += found.service != "static" and not password
        return password


def _note(found: Found) -> str:
    if not found.cut:
        return "said so when it was adopted"
    return f"was {found.cut} on the router"
