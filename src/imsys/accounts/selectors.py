"""Who somebody is and what that lets them do."""

from typing import Any

from django.contrib.auth.models import AnonymousUser

from imsys.accounts.errors import UnknownUser
from imsys.accounts.models import Role, User
from imsys.kit.nearest import did_you_mean


def get_user(name: str) -> User:
    try:
        return User.objects.get(username=name)
    except User.DoesNotExist:
        known = User.objects.values_list("username", flat=True)
        remedy = did_you_mean(name, known) or f"Add it with: imsys user add {name} --role viewer"
        raise UnknownUser(f"There is no user {name!r}.", remedy=remedy) from None


def role_of(user: User | AnonymousUser) -> Role | None:
    """The one role of an active person; None for anybody else."""
    if isinstance(user, AnonymousUser) or not user.is_active:
        return None
    held = set(user.groups.values_list("name", flat=True))
    return next((role for role in Role if role.value in held), None)


def has_role(user: User | AnonymousUser, *roles: Role) -> bool:
    """Whether this person has one of these roles. An admin has them all."""
    role = role_of(user)
    return role is not None and (role is Role.ADMIN or role in roles)


def list_users() -> list[dict[str, Any]]:
    users = User.objects.prefetch_related("groups").order_by("username")
    return [
        {
            "username": user.username,
            "role": next((group.name for group in user.groups.all()), ""),
            "is_active": user.is_active,
            "last_login": user.last_login,
        }
        for user in users
    ]
