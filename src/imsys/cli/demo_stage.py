"""Where the demo plays: a temporary folder, simulated routers, `imsys serve` in a process of its own, an ISP."""

import csv
import io
import json
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from imsys.cli.demo_fleet import DemoFleet
from imsys.kit.errors import ImsysError

ROUTERS = ["rt-ngong", "rt-thika", "rt-kilimani"]
PACKAGES = {"home-5m": ("5M/5M", 1000), "home-10m": ("5M/10M", 1500), "home-20m": ("10M/20M", 2500)}
FIRST_NAMES = (
    "achieng akinyi amina atieno baraka chebet fatuma grace hassan jabali juma kamau kendi kiprop makena moraa mutua "
    "naliaka njeri otieno peter salim wambui wanjiku zawadi"
).split()
LAST_NAMES = "barasa cheruiyot kariuki kimani maina mohamed mwangi ndungu ochieng odhiambo omondi wekesa".split()
STOP_S = 20.0
ACTOR = "cli:demo"


class Stage:
    """What the story plays with. `login` is for the pages."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.url = ""
        self.login = ("demo", secrets.token_urlsafe(9))
        self.api_user, self.api_password = "imsys", secrets.token_urlsafe(9)
        self.fleet = DemoFleet(ROUTERS, username=self.api_user, password=self.api_password)
        self.served: subprocess.Popen[str] | None = None

    def subscribers(self, router: str) -> list[str]:
        return [name for name, where in people().items() if where == router]


def people() -> dict[str, str]:
    """Usernames and their routers: 25 first names by 12 last names, dealt to the routers in turn."""
    names = [f"{first}.{last}" for last in LAST_NAMES for first in FIRST_NAMES]
    return {name: ROUTERS[number % len(ROUTERS)] for number, name in enumerate(names)}


@contextmanager
def open_stage(port: int) -> Iterator[Stage]:
    """Everything running and nobody there yet; all of it is gone afterwards. Django is set up inside."""
    folder = Path(tempfile.mkdtemp(prefix="imsys-demo-"))
    for name in ("IMSYS_DATABASE_URL", "IMSYS_SECRET_KEY", "DJANGO_SETTINGS_MODULE"):
        os.environ.pop(name, None)
    os.environ["IMSYS_DATA_DIR"] = str(folder)
    from imsys.cli.database import database

    stage = Stage(folder)
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        stack.enter_context(stage.fleet)
        server = stack.enter_context(database()).server
        if server is not None:
            stack.callback(server.close, wait=True)
        stack.enter_context(_serving(stage, port))
        yield stage


@contextmanager
def _serving(stage: Stage, port: int) -> Iterator[None]:
    command = [sys.executable, "-m", "imsys", "serve", "--port", str(port), "--json", "--parent", str(os.getpid())]
    log = (stage.folder / "serve.log").open("w")
    with (
        log,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True, start_new_session=True) as process,
    ):
        stage.served = process
        try:
            stage.url = _address(process, stage.folder / "serve.log")
            yield
        finally:
            process.terminate()
            try:
                process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()


def _address(process: "subprocess.Popen[str]", log: Path) -> str:
    assert process.stdout is not None
    for line in process.stdout:
        said = json.loads(line)
        if said["event"] == "listening":
            return str(said["url"])
    words = log.read_text().strip().splitlines()
    raise ImsysError(f"imsys serve did not start: {(words or ['it said nothing'])[-1].removeprefix('error: ')}")


def set_up(stage: Stage) -> None:
    """The ISP: routers, packages, 300 subscribers, and a person who may log in."""
    from imsys.accounts.services import add_user
    from imsys.network.services import add_router
    from imsys.subscribers import services

    username, password = stage.login
    add_user(username, role="admin", password=password, actor=ACTOR)
    for name in ROUTERS:
        add_router(
            name=name,
            host="127.0.0.1",
            port=stage.fleet.port(name),
            username=stage.api_user,
            password=stage.api_password,
            mode="enforce",
            actor=ACTOR,
        )
    for package, (rate_limit, price) in PACKAGES.items():
        services.add_package(name=package, rate_limit=rate_limit, price=price, actor=ACTOR)
    report = services.import_rows(_csv(), actor=ACTOR)
    if report.errors:
        raise ImsysError(f"The sample subscribers were refused: {report.errors[0]}")


def _csv() -> bytes:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["username", "password", "router", "package", "full_name", "phone"])
    packages = list(PACKAGES)
    for number, (name, router) in enumerate(people().items()):
        phone = f"+254 7{number % 90 + 10:02} {number * 7919 % 1000:03} {number * 104729 % 1000:03}"
        full_name = name.replace(".", " ").title()
        writer.writerow([name, secrets.token_hex(6), router, packages[number % len(packages)], full_name, phone])
    return text.getvalue().encode()
