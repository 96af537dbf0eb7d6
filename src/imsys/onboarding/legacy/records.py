"""What the documents of the three collections say, field by field. Pure."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from decimal import Decimal

from imsys.onboarding.legacy.documents import Document
from imsys.onboarding.legacy.fields import Fields, Notes

USERS, ROUTERS, PACKAGES = "users", "routers", "packages"
IDENTITY = ("_id", "tenant")
USER_FIELDS = (
    *("mikrotikRouter", "package", "serviceType", "username", "pppoePassword", "remoteAddress", "ipAddress"),
    *("officialName", "mobileNumber", "emailAddress", "apartment_house_number", "door_number_unit_label"),
    *("mPesaRefNo", "expiryDate", "walletBalance", "isSuspended", "isManuallyDisconnected", "billingCycle"),
    "pendingPackage",
)
USER_FACTS = (
    *("isOnline", "lastChecked", "provisionedOnMikrotik", "syncStatus", "syncErrorMessage", "createdAt", "updatedAt"),
)
ROUTER_FIELDS = ("name", "ipAddress", "apiPort", "apiUsername", "location")
PACKAGE_FIELDS = ("mikrotikRouter", "serviceType", "name", "price", "status", "profile", "rateLimit")
SERVICES = ("pppoe", "static")
DEFAULT_API_PORT = 8728
_CYCLE = re.compile(r"(\d{1,4}) ?(days?|d|weeks?|w|months?|m|years?|y)?")
_DAYS = {"d": 1, "w": 7, "m": 30, "y": 365}
_CYCLE_WORDS = {
    **{"daily": 1, "weekly": 7, "biweekly": 14, "fortnightly": 14, "monthly": 30, "month": 30, "quarterly": 90},
    **{"yearly": 365, "annually": 365, "annual": 365},
}


@dataclass(frozen=True, slots=True)
class LegacyRouter:
    number: int
    id: str
    name: str
    host: str
    port: int
    username: str
    location: str


@dataclass(frozen=True, slots=True)
class LegacyPackage:
    """`profile` of pppoe, `rate` of static."""

    number: int
    id: str
    router_id: str
    name: str
    price: Decimal
    is_active: bool
    profile: str
    rate: str

    @property
    def merged(self) -> tuple[str, Decimal, str, str]:
        """Those that are alike in this are one package here."""
        return self.name, self.price, self.profile, self.rate


@dataclass(frozen=True, slots=True)
class LegacyUser:
    number: int
    username: str
    service: str
    router_id: str
    package_id: str
    password: str = field(repr=False)
    address: str
    full_name: str
    phone: str
    email: str
    note: str
    payment_reference: str
    expires_at: datetime | None
    wallet_balance: Decimal | None
    is_suspended: bool
    is_disconnected: bool
    billing_cycle: str
    pending_package_id: str


def routers(documents: Iterable[Document], notes: Notes) -> list[LegacyRouter]:
    return [found for document in documents if (found := _router(document, notes))]


def _router(document: Document, notes: Notes) -> LegacyRouter | None:
    fields = Fields(
        document, notes, known=(*IDENTITY, *ROUTER_FIELDS), dropped=("apiPassword", "createdAt", "updatedAt")
    )
    port = fields.number("apiPort")
    router = LegacyRouter(
        number=document.number,
        id=fields.given("_id"),
        name=fields.given("name"),
        host=fields.given("ipAddress"),
        port=DEFAULT_API_PORT if port is None else int(port),
        username=fields.given("apiUsername"),
        location=fields.text("location"),
    )
    return router if fields.is_good else None


def packages(documents: Iterable[Document], notes: Notes) -> list[LegacyPackage]:
    return [found for document in documents if (found := _package(document, notes))]


def _package(document: Document, notes: Notes) -> LegacyPackage | None:
    fields = Fields(document, notes, known=(*IDENTITY, *PACKAGE_FIELDS), dropped=("createdAt", "updatedAt"))
    service = _service(fields)
    price = fields.number("price")
    if price is None and fields.is_good:
        fields.wrong("The price is empty.")
    package = LegacyPackage(
        number=document.number,
        id=fields.given("_id"),
        router_id=fields.text("mikrotikRouter"),
        name=fields.given("name"),
        price=price or Decimal(0),
        is_active=fields.text("status") != "disabled",
        profile=fields.text("profile", exact=True) if service == "pppoe" else "",
        rate=fields.text("rateLimit") if service == "static" else "",
    )
    return package if fields.is_good else None


def users(documents: Iterable[Document], notes: Notes, *, zone: tzinfo, now: datetime) -> list[LegacyUser]:
    return [found for document in documents if (found := _user(document, notes, zone, now))]


def _user(document: Document, notes: Notes, zone: tzinfo, now: datetime) -> LegacyUser | None:
    fields = Fields(document, notes, known=(*IDENTITY, *USER_FIELDS), dropped=USER_FACTS)
    service = _service(fields)
    user = LegacyUser(
        number=document.number,
        username=fields.given("username", exact=True),
        service=service,
        router_id=fields.given("mikrotikRouter"),
        package_id=fields.given("package"),
        password=fields.text("pppoePassword", exact=True) if service == "pppoe" else "",
        address=fields.text("ipAddress" if service == "static" else "remoteAddress"),
        full_name=fields.text("officialName"),
        phone=fields.text("mobileNumber"),
        email=fields.text("emailAddress"),
        note=_place(fields),
        payment_reference=fields.text("mPesaRefNo"),
        expires_at=fields.instant("expiryDate", zone=zone, now=now),
        wallet_balance=fields.amount("walletBalance"),
        is_suspended=fields.flag("isSuspended"),
        is_disconnected=fields.flag("isManuallyDisconnected"),
        billing_cycle=fields.text("billingCycle"),
        pending_package_id=fields.text("pendingPackage"),
    )
    return user if fields.is_good else None


def _service(fields: Fields) -> str:
    service = fields.given("serviceType").lower()
    if service and service not in SERVICES:
        fields.wrong(f"The serviceType {service!r} is neither pppoe nor static.")
    return service


def _place(fields: Fields) -> str:
    house, door = fields.text("apartment_house_number"), fields.text("door_number_unit_label")
    return ", ".join(f"{what} {text}" for what, text in (("house", house), ("door", door)) if text)


def cycle_days(text: str) -> int | None:
    """The days of a billing cycle; None for one that is not understood."""
    word = " ".join(text.lower().split())
    if word in _CYCLE_WORDS:
        return _CYCLE_WORDS[word]
    match = _CYCLE.fullmatch(word)
    days = int(match[1]) * _DAYS[(match[2] or "d")[0]] if match else 0
    return days or None
