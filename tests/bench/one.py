"""`python -m tests.bench.one NAME FILE`: runs one bench and writes its measures to FILE as JSON.

A process of its own for each, so that none measures the memory, the garbage or the warm caches of another.
"""

import asyncio
import importlib
import inspect
import json
import sys
from pathlib import Path
from typing import Any

from tests.bench.measure import Measure


def run(name: str) -> list[Measure]:
    module = importlib.import_module(f"tests.bench.bench_{name}")
    result = module.run()
    if inspect.iscoroutine(result):
        result = asyncio.run(result)
    return measures(result)


def measures(result: Any) -> list[Measure]:
    """What `run` returned as measures; a mapping from a name to a number, or to a Measure's fields, will do."""
    if isinstance(result, dict):
        return [
            Measure(what=what, **value) if isinstance(value, dict) else Measure(what=what, value=float(value))
            for what, value in result.items()
        ]
    return list(result)


if __name__ == "__main__":
    _, bench, file = sys.argv
    Path(file).write_text(json.dumps([measure.to_json() for measure in run(bench)]))
