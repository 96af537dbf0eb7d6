"""Staff: the people who log in to IMSys. A subscriber is never one of these."""

from django.contrib.auth.models import AbstractUser
from django.db import models


class Role(models.TextChoices):
    """What a person may do. Each role is a Django group of the same name; a person has one."""

    ADMIN = "admin"
    OPERATOR = "operator"
    TECHNICIAN = "technician"
    VIEWER = "viewer"


class User(AbstractUser):
    """A person with a login. Our own class from the first migration, because it cannot be swapped in later."""
