"""`python -m tests.bench [NAME ...]`: runs the benches and shows each figure against its budget.

Exits with 1 when a budget is exceeded or a bench fails, so that a script can tell.
"""

import argparse
import ast
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.bench.measure import Measure
from tests.bench.report import Result, show, write_page

FOLDER = Path(__file__).parent
ROOT = FOLDER.parents[1]
LIMIT_S = 600


def main(arguments: list[str]) -> int:
    options = parse(arguments)
    known = {path.stem.removeprefix("bench_"): path for path in sorted(FOLDER.glob("bench_*.py"))}
    if unknown := set(options.names) - set(known):
        sys.stderr.write(f"error: no bench {', '.join(sorted(unknown))}. There are: {', '.join(known)}.\n")
        return 2
    wanted = options.names or [
        name for name, path in known.items() if options.long or not constant(path, "LONG", False)
    ]
    results = [run(name, known[name]) for name in wanted]
    if options.json:
        Path(options.json).write_text(json.dumps([to_json(result) for result in results], indent=2) + "\n")
    if options.write_docs:
        write_page(results)
    show(results)
    return 0 if all(result.is_kept for result in results) else 1


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="Measure against the budgets.")
    parser.add_argument("names", nargs="*", metavar="NAME", help="which benches; default: all but the long ones")
    parser.add_argument("--long", action="store_true", help="the long ones too")
    parser.add_argument("--json", metavar="FILE", help="write the measures to FILE as well")
    parser.add_argument("--write-docs", action="store_true", help="write the results into docs/benchmarks.md")
    return parser.parse_args(arguments)


def run(name: str, path: Path) -> Result:
    about = (ast.get_docstring(ast.parse(path.read_text())) or name).splitlines()[0]
    limit_s = float(constant(path, "LIMIT_S", LIMIT_S))
    sys.stderr.write(f"{name}: {about}\n")
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "measures.json"
        try:
            subprocess.run(
                [sys.executable, "-m", "tests.bench.one", name, str(file)], cwd=ROOT, check=True, timeout=limit_s
            )
            measures = tuple(Measure.from_json(values) for values in json.loads(file.read_text()))
        except subprocess.TimeoutExpired:
            return Result(name, about, (), time.monotonic() - started, f"stopped after {limit_s:.0f} s")
        except subprocess.CalledProcessError as error:
            return Result(name, about, (), time.monotonic() - started, f"ended with {error.returncode}")
    return Result(name, about, measures, time.monotonic() - started)


def constant(path: Path, name: str, default: float) -> float:
    """The value of a constant at the top of a bench, read without importing it: imports cost time and memory."""
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == name for t in node.targets):
            value = ast.literal_eval(node.value)
            assert isinstance(value, int | float)
            return value
    return default


def to_json(result: Result) -> dict[str, object]:
    return {
        "bench": result.name,
        "kept": result.is_kept,
        "failure": result.failure,
        "seconds": round(result.seconds, 1),
        "measures": [measure.to_json() for measure in result.measures],
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
