"""The documents are tested like code: what they name exists, and what exists is named."""

import re
import subprocess
from functools import cache
from pathlib import Path

from imsys import __version__
from imsys.reconcile.kinds import KINDS
from imsys.reconcile.status import REASONS

ROOT = Path(__file__).parents[2]
GLOSSARY_WORDS = """
    intent, desired, observed, resource, kind, key, row_id, drift, diff, seen, wanted, applied, fact, plan,
    step, apply, run, reconcile, resync, keeper, worker, lease, epoch, wake, due, sweep, generation,
    applied_generation, sync status, kick, settling, placement, ghost, unmanaged, adopt, managed field, hold,
    guard, cap, condition, reason, transient, permanent, unknown, backoff, observe, enforce, paused,
    enforcement gap, subscriber, session, user, client, router, package, profile, suspension, cause, timeline,
    event, actor, departure, lock, walled garden, CPE, sim, selector, service, task, enqueue, menu, Clock, vault,
    incident, channel, line, shared row, former name, twin, make static, live, cut off,
    single enforcement, window, freeze,
    change, undo, expiry run, mark, fight, pause
"""
# Written in pieces, so that this file does not find itself.
OF_ONE_MACHINE = ["/wo" + "rk/", "/ro" + "ot/", "/fa" + "rm/", "/ho" + r"me/[a-z]", "/Us" + "ers/", "/opt/wh" + "eels"]
OF_ONE_INDEX = [
    "pypi" + r"\.org",
    "python" + r"hosted\.org",
    "npmjs" + r"\.(org|com)",
    r"--(extra-)?" + "index-url",
    "find" + "-links",
]


@cache
def project_files() -> list[Path]:
    """What is or would be committed."""
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    return [path for name in listing.stdout.decode().split("\0") if name and (path := ROOT / name).is_file()]


def pages() -> list[Path]:
    return [path for path in project_files() if path.suffix == ".md"]


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_the_glossary_has_every_word() -> None:
    rows = re.findall(r"^\| ([^|]+) \|", (ROOT / "docs/glossary.md").read_text(), re.MULTILINE)
    defined = {word.strip("` ").removesuffix(" (state)") for row in rows for word in row.split(", ")}
    wanted = {word.strip() for word in GLOSSARY_WORDS.split(",")}
    assert not wanted - defined


def test_every_decision_is_in_the_index_and_the_index_names_no_other() -> None:
    folder = ROOT / "docs/adr"
    listed = re.findall(r"\]\((\d{4}-[^)]+\.md)\)", (folder / "README.md").read_text())
    written = {path.name for path in folder.glob("[0-9]*.md")}
    assert sorted(listed) == sorted(written)
    for name in written:
        assert re.match(rf"# {int(name[:4])}\. ", (folder / name).read_text()), f"{name} does not start with its number"


def test_links_between_pages_lead_somewhere() -> None:
    broken = [
        f"{named(page)}: {target}"
        for page in pages()
        for target in re.findall(r"\]\(([^)\s]+)\)", without_code(page.read_text()))
        if not re.match(r"[a-z]+:|#", target) and not (page.parent / target.split("#")[0]).exists()
    ]
    assert not broken


def without_code(text: str) -> str:
    return re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)


def test_no_file_names_a_machine_or_a_package_index() -> None:
    pattern = re.compile("|".join(OF_ONE_MACHINE + OF_ONE_INDEX))
    found = [
        f"{named(path)}:{number}: {line.strip()[:100]}"
        for path in project_files()
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1)
        if pattern.search(line)
    ]
    assert not found


def test_every_make_target_that_a_page_names_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named_targets = {
        (named(page), target)
        for page in pages()
        for target in re.findall(r"(?:`|^|&& )make ([a-z][a-z-]*)", page.read_text(), re.MULTILINE)
    }
    assert ("README.md", "demo") in named_targets
    assert not {(page, target) for page, target in named_targets if target not in targets}


def test_ci_calls_targets_that_exist_and_the_test_command_of_the_readme() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    called = re.findall(r"^step make (\S+)", (ROOT / ".ci/run").read_text(), re.MULTILINE)
    assert set(called) <= targets
    assert "test" in called
    assert "make test" in (ROOT / "README.md").read_text()


def test_every_setting_is_explained() -> None:
    page = (ROOT / "docs/reference/settings.md").read_text()
    used = {
        name
        for path in project_files()
        if path.is_relative_to(ROOT / "src") and path.suffix == ".py"
        for name in re.findall(r"\bIMSYS_[A-Z][A-Z0-9_]*", path.read_text())
    }
    assert "IMSYS_DATA_DIR" in used
    assert not {name for name in used if f"`{name}`" not in page}
    assert not {name for name in re.findall(r"`(IMSYS_[A-Z0-9_]+)`", page) if name not in used}


def test_the_changelog_has_the_current_version() -> None:
    assert re.search(rf"^## {re.escape(__version__)}\b", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)


def test_the_package_says_the_version_that_was_built() -> None:
    assert f'version = "{__version__}"' in (ROOT / "pyproject.toml").read_text()


def test_every_error_code_is_explained() -> None:
    pattern = re.compile(r"\b(?:default_code|code) ?= ?\"([A-Z]\w+)\"|\bProblem\(\s*\"([A-Z]\w+)\"")
    used = {
        first or second
        for path in project_files()
        if path.is_relative_to(ROOT / "src") and path.suffix == ".py"
        for first, second in pattern.findall(path.read_text())
    }
    assert {"BadRate", "LoginRefused"} <= used
    explained = {
        code
        for page in (ROOT / "docs/reference").glob("*.md")
        for code in re.findall(r"`([A-Z]\w+)`", page.read_text())
    }
    assert not used - explained


def test_every_kind_has_its_page_with_every_field() -> None:
    for menu, kind in KINDS.items():
        page = (ROOT / "docs/spec" / f"{menu.strip('/').replace('/', '-')}.md").read_text()
        assert page.startswith(f"# {menu}\n")
        assert not [field.name for field in kind.fields if f"| `{field.name}` |" not in page]


def test_every_reason_is_explained() -> None:
    page = (ROOT / "docs/reference/reasons.md").read_text()
    assert not [reason for reason in REASONS if f"| `{reason}` |" not in page]
