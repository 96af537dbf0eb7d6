"""The only door through which people's logins change."""

from django.contrib.auth.models import Group
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from imsys.accounts import selectors
from imsys.accounts.models import Role, User
from imsys.kit.errors import InputError
from imsys.timeline import services as timeline


@transaction.atomic
def add_user(name: str, *, role: str, password: str, actor: str) -> User:
    user = User(username=name)
    group = _group(role)
    try:
        user.clean_fields(exclude=["password"])
        validate_password(password, user)
    except ValidationError as exc:
        raise InputError(f"The user {name!r} cannot be added: {' '.join(exc.messages)}") from exc
    user.set_password(password)
    _give(user, role)
    try:
        with transaction.atomic():
            user.save()
    except IntegrityError as exc:
        raise InputError(f"The user {name!r} already exists.") from exc
    user.groups.set([group])
    timeline.record("user-added", actor=actor, after={"user": name, "role": role})
    return user


@transaction.atomic
def set_role(name: str, *, role: str, actor: str) -> None:
    user, group = selectors.get_user(name), _group(role)
    before = selectors.role_of(user)
    if before == role:
        return
    _give(user, role)
    user.save(update_fields=["is_staff", "is_superuser"])
    user.groups.set([group])
    timeline.record("user-changed", actor=actor, before={"role": before}, after={"user": name, "role": role})


@transaction.atomic
def set_password(name: str, *, password: str, actor: str) -> None:
    user = selectors.get_user(name)
    try:
        validate_password(password, user)
    except ValidationError as exc:
        raise InputError(f"The password of {name!r} is not usable: {' '.join(exc.messages)}") from exc
    user.set_password(password)
    user.save(update_fields=["password"])
    timeline.record("user-changed", actor=actor, after={"user": name, "password": "changed"})


def _give(user: User, role: str) -> None:
    user.is_staff = user.is_superuser = role == Role.ADMIN


def _group(role: str) -> Group:
    if role not in Role.values:
        raise InputError(f"{role!r} is not a role.", remedy=f"Use one of: {', '.join(Role.values)}")
    return Group.objects.get_or_create(name=role)[0]
