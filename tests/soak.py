"""`python -m tests.soak`: the scenarios with fresh seeds, round after round, until one fails or the time is up.

What failed names its seed: `SOAK_SEED=<seed> make test ARGS=tests/scenario` plays it again, and once mended it belongs
into the `PAST_SEEDS` of its module.
"""

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

from tests.scenario.conftest import FRESH_SEEDS_PER_ROUND

ROOT = Path(__file__).parents[1]
NO_TEST_WAS_FOUND = 5


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description="Run the scenarios with fresh seeds.")
    parser.add_argument("--minutes", type=float, default=10, help="stop after the round in which this is over (10)")
    parser.add_argument("--seed", type=int, default=int(time.time()), help="the first seed; default: from the clock")
    parser.add_argument("tests", nargs="*", default=["tests/scenario"], help="which tests (tests/scenario)")
    options = parser.parse_args(arguments)
    seed, end = options.seed, time.monotonic() + options.minutes * 60
    rounds = 0
    while True:
        sys.stderr.write(f"round {rounds + 1}, seeds {seed} to {seed + FRESH_SEEDS_PER_ROUND - 1}\n")
        code = play(options.tests, seed)
        if code:
            sys.stderr.write(
                "error: No scenario was found.\n" if code == NO_TEST_WAS_FOUND else f"round {rounds + 1} failed\n"
            )
            return code
        rounds, seed = rounds + 1, seed + FRESH_SEEDS_PER_ROUND
        if time.monotonic() > end:
            sys.stderr.write(f"{rounds} rounds passed\n")
            return 0


def play(tests: list[str], seed: int) -> int:
    command = [sys.executable, "-m", "pytest", "-q", "-x", *tests]
    return subprocess.run(command, cwd=ROOT, env={**os.environ, "SOAK_SEED": str(seed)}).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
