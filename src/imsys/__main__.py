"""`python -m imsys`: the same program as the `imsys` script, also where no script is on the path."""

from imsys.cli.main import run

if __name__ == "__main__":
    run()
