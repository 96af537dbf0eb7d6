"""Django's settings for the tests: the program's own, on a data folder that lives as long as one test run."""

import os
import tempfile

if "PYTEST_XDIST_WORKER" not in os.environ:  # a worker shares the folder of the process that started it
    for name in [name for name in os.environ if name.startswith("IMSYS_")]:
        del os.environ[name]  # a person's own settings are no part of a test
    os.environ["IMSYS_DATA_DIR"] = tempfile.mkdtemp(prefix="imsys-test-")

from imsys.conf.settings import *  # noqa: F403 - that is the point

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # for speed alone
