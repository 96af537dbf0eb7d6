"""`python -m tests.migrations`: fails when a model has changed and its migration is missing. Asks no database."""

import os
import sys
import tempfile
import warnings


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        os.environ["IMSYS_DATA_DIR"] = folder  # a folder without a server: nothing of a person's own is touched
        os.environ.pop("IMSYS_DATABASE_URL", None)
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "imsys.conf.settings")
        import django
        from django.core.management import call_command

        django.setup()
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Got an error checking a consistent migration history", RuntimeWarning)
            try:
                call_command("makemigrations", check=True, dry_run=True)
            except SystemExit as stopped:
                return int(stopped.code or 0)
    return 0


if __name__ == "__main__":
    sys.exit(main())
