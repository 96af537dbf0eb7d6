"""What RouterOS's console would make of the script that lets IMSys in, done on a simulated router."""

import re
import shlex

from imsys.sim import SimRouter

FIELD = r"[a-z-]+=(?:\"(?:\\.|[^\"\\])*\"|[^\s{}\"\]]+)"
COMMAND = re.compile(rf"(?<![\[\w])/((?:[a-z-]+ )+?)(add|set|sign) ?(\[find [^\]]*\]|api-ssl|api)?((?: ?{FIELD})*)")


def commands(text: str) -> list[tuple[str, str, str, dict[str, str]]]:
    """(menu, verb, whom, fields) of each command that changes something; text in quotes that is shown is no command."""
    code = "\n".join(line for line in re.sub(r":put \"[^\"]*\"", "", text).splitlines() if not line.startswith("#"))
    found = []
    for menu, verb, whom, fields in COMMAND.findall(code):
        pairs = (word.split("=", 1) for word in shlex.split(fields))
        found.append((f"/{'/'.join(menu.split())}", verb, whom, dict(pairs)))
    return found


def play(text: str, sim: SimRouter) -> None:
    """What the commands about groups, users and services mean, with a guard's `add` only where there is none yet."""
    for menu, verb, whom, fields in commands(text):
        if menu == "/certificate":
            continue
        table, key = sim.table(menu), re.sub(r"\[find name=\"(.*?)\"\]", r"\1", whom)
        values = {name.replace("-", "_"): value for name, value in fields.items()}
        if verb == "add":
            if table.find(name=values["name"]) is None:
                table.add(**values)
        elif values.get("policy") != "$p":
            table.set(key, **values)
