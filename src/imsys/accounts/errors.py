"""What can be wrong with a request about people."""

from imsys.kit.errors import InputError


class UnknownUser(InputError):
    default_code = "UnknownUser"
