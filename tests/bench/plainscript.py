"""The script that IMSys is held against: sockets and asyncio, no IMSys code, and no care for anything going wrong.

It knows beforehand what is to be done, records nothing, and recovers from nothing. What it cannot do without is here:
framing, tagged commands sent without waiting for each other, rows as dictionaries.
"""

import asyncio
from collections.abc import Sequence

IDS_AT_ONCE = 100
BUFFER_BYTES = 1 << 20
Row = dict[str, str]


def word(text: str) -> bytes:
    data = text.encode()
    size = len(data)
    if size < 0x80:
        return bytes((size,)) + data
    if size < 0x4000:
        return (size | 0x8000).to_bytes(2, "big") + data
    return (size | 0xC00000).to_bytes(3, "big") + data


def sentence(*words: str) -> bytes:
    return b"".join(map(word, words)) + b"\x00"


class Session:
    """One logged-in connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._buffer, self._at = b"", 0

    @classmethod
    async def open(cls, port: int) -> "Session":
        session = cls(*await asyncio.open_connection("127.0.0.1", port, limit=BUFFER_BYTES))
        await session.talk([("/login", "=name=admin", "=password=")])
        return session

    def close(self) -> None:
        self._writer.close()

    async def talk(self, commands: Sequence[Sequence[str]]) -> list[list[Row]]:
        """Send all at once and return the rows of each when all are done."""
        tagged = [sentence(command[0], f".tag={n}", *command[1:]) for n, command in enumerate(commands)]
        self._writer.write(b"".join(tagged))
        rows: list[list[Row]] = [[] for _ in commands]
        done = 0
        while done < len(commands):
            words = await self._sentence()
            tag = next(int(text[5:]) for text in words if text.startswith(".tag="))
            if words[0] == "!re":
                rows[tag].append(dict(text[1:].split("=", 1) for text in words[1:] if text[0] == "="))
            elif words[0] == "!done":
                done += 1
            else:
                raise RuntimeError(str(words))
        return rows

    async def _sentence(self) -> list[str]:
        while True:
            words: list[str] = []
            buffer, at = self._buffer, self._at
            while at < len(buffer):
                size = buffer[at]
                at += 1
                if size >= 0xC0:
                    size, at = (size & 0x3F) << 16 | int.from_bytes(buffer[at : at + 2], "big"), at + 2
                elif size >= 0x80:
                    if at == len(buffer):
                        break
                    size, at = (size & 0x3F) << 8 | buffer[at], at + 1
                if not size:
                    self._at = at
                    return words
                if at + size > len(buffer):
                    break
                words.append(buffer[at : at + size].decode())
                at += size
            more = await self._reader.read(BUFFER_BYTES)
            if not more:
                raise ConnectionError("closed by the router")
            self._buffer, self._at = buffer[self._at :] + more, 0


def by_hundreds(rows: Sequence[Row]) -> list[str]:
    ids = [row[".id"] for row in rows]
    return [",".join(ids[start : start + IDS_AT_ONCE]) for start in range(0, len(ids), IDS_AT_ONCE)]


SECRETS = ("/ppp/secret/print", "=.proplist=.id,name,service,profile,remote-address,disabled,password")
SESSIONS = ("/ppp/active/print", "=.proplist=.id,name,session-id")


async def cut_all(session: Session) -> None:
    """Disable every secret, end every session, and see that both are so."""
    [secrets] = await session.talk([SECRETS])
    on = [row for row in secrets if row["disabled"] != "true"]
    await session.talk([("/ppp/secret/set", f"=.id={ids}", "=disabled=yes") for ids in by_hundreds(on)])
    secrets, active = await session.talk([SECRETS, SESSIONS])
    assert all(row["disabled"] == "true" for row in secrets)
    await session.talk([("/ppp/active/remove", f"=.id={ids}") for ids in by_hundreds(active)])
    [active] = await session.talk([SESSIONS])
    assert not active


async def free_all(session: Session) -> None:
    [secrets] = await session.talk([SECRETS])
    await session.talk([("/ppp/secret/set", f"=.id={ids}", "=disabled=no") for ids in by_hundreds(secrets)])
