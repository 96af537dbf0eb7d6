"""People: one role each, and what it lets them do."""

import pytest
from django.contrib.auth.models import AnonymousUser, Group

from imsys.accounts import selectors, services
from imsys.accounts.models import Role
from imsys.kit.errors import InputError
from imsys.timeline.models import Event

pytestmark = pytest.mark.django_db

PASSWORD = "correct horse battery"


def test_the_roles_are_groups() -> None:
    assert set(Group.objects.values_list("name", flat=True)) >= set(Role.values)


def test_a_person_has_one_role() -> None:
    ann = services.add_user("ann", role="operator", password=PASSWORD, actor="cli:root")
    assert ann.check_password(PASSWORD)
    assert selectors.role_of(ann) is Role.OPERATOR
    assert selectors.has_role(ann, Role.OPERATOR, Role.TECHNICIAN)
    assert not selectors.has_role(ann, Role.VIEWER)
    services.set_role("ann", role="admin", actor="cli:root")
    ann = selectors.get_user("ann")
    assert selectors.has_role(ann, Role.VIEWER)
    assert ann.is_superuser
    services.set_role("ann", role="viewer", actor="cli:root")
    assert not selectors.get_user("ann").is_superuser
    assert selectors.list_users()[0]["role"] == "viewer"


def test_who_is_gone_or_unknown_has_none() -> None:
    ann = services.add_user("ann", role="admin", password=PASSWORD, actor="cli:root")
    ann.is_active = False
    assert not selectors.has_role(ann)
    assert not selectors.has_role(AnonymousUser(), *Role)


def test_a_password_is_changed_and_never_told() -> None:
    services.add_user("ann", role="admin", password=PASSWORD, actor="cli:root")
    services.set_password("ann", password="another long one", actor="cli:root")
    assert selectors.get_user("ann").check_password("another long one")
    assert not [
        event for event in Event.objects.all() if "long one" in f"{event.after}" or PASSWORD in f"{event.after}"
    ]


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"role": "root"}, "admin, operator, technician, viewer"),
        ({"password": "short"}, "too short"),
        ({"name": "a b"}, "valid username"),
        ({"name": "old"}, "already exists"),
    ],
)
def test_says_what_is_wrong(given: dict[str, str], says: str) -> None:
    services.add_user("old", role="viewer", password=PASSWORD, actor="cli:root")
    with pytest.raises(InputError, match=says):
        services.add_user(**{"name": "ann", "role": "viewer", "password": PASSWORD, "actor": "cli:root"} | given)


def test_an_unknown_name_is_told_the_nearest() -> None:
    services.add_user("wanjiru", role="viewer", password=PASSWORD, actor="cli:root")
    with pytest.raises(InputError, match="Did you mean 'wanjiru'"):
        selectors.get_user("wanjru")
