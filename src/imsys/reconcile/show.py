"""Steps as a person or a script may see them: printed values, secrets masked."""

from collections.abc import Mapping, Sequence

from imsys.kit.redact import HIDDEN
from imsys.kit.text import storable
from imsys.reconcile.diff import Step
from imsys.reconcile.kinds import KINDS, Kind, Observed
from imsys.reconcile.kinds.base import Unverifiable
from imsys.reconcile.sessions import Session

MOST_NAMED = 6


def shown(kind: Kind, values: Mapping[str, Observed]) -> dict[str, str]:
    return {name: shown_value(kind, name, value) for name, value in values.items()}


def shown_value(kind: Kind, name: str, value: Observed) -> str:
    field = kind.field(name)
    if field.is_secret or isinstance(value, bytes | Unverifiable):
        return HIDDEN
    return storable(field.render(value) or "")


def as_dict(step: Step, usernames: Mapping[int, str]) -> dict[str, object]:
    """The shape that `imsys plan --json` prints for a step."""
    kind = KINDS[step.menu]
    return {
        "subscriber": usernames.get(step.subscriber_id) if step.subscriber_id is not None else None,
        "menu": step.menu,
        "key": storable(step.key),
        "action": step.action,
        "before": ({"key": storable(step.old_key)} if step.old_key else {}) | shown(kind, step.before),
        "after": _key_as_sent(kind, step) | shown(kind, step.changes) | _where(step),
        "reason": step.reason,
    }


def _key_as_sent(kind: Kind, step: Step) -> dict[str, str]:
    """What a new row is known by, such as a rule's chain and action; of a renamed one its new key."""
    if step.action == "add":
        return {name: storable(text) for name, text in kind.key_fields(step.key).items()}
    return {"key": storable(step.key)} if step.old_key else {}


def _where(step: Step) -> dict[str, str]:
    return {"place": f"before {step.before_id}"} if step.before_id else {}


def kick_as_dict(session: Session, subscriber: str | None, reason: str) -> dict[str, object]:
    """The same for a session that is to end."""
    return {
        "subscriber": subscriber,
        "menu": session.menu,
        "key": storable(session.name),
        "action": "kick",
        "before": {"session": session.session_id},
        "after": {},
        "reason": reason,
    }


def look_alikes(names: Sequence[str]) -> str:
    """One line that warns of names which differ only in case or outer blanks; "" when there are none."""
    if not names:
        return ""
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return f"Names that differ only in case or blanks: {', '.join(map(repr, names[:MOST_NAMED]))}{more}."
