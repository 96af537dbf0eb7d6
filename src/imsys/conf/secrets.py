"""The vault of this installation: one per process, made at its first use."""

import functools

from django.conf import settings

from imsys.vault.box import Vault
from imsys.vault.keys import load_key


@functools.cache
def vault() -> Vault:
    return Vault(load_key(settings.DATA_DIR, settings.MASTER_KEY))
