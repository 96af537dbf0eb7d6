"""Plain SQL on Django's connection, in its current transaction: for the statements that touch many rows at once."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.db import connection

Parameters = Mapping[str, Any] | Sequence[Any]


def fetch(sql: str, parameters: Parameters = ()) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows


def execute(sql: str, parameters: Parameters = ()) -> int:
    """The number of rows that the statement touched."""
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return int(cursor.rowcount)


def in_batches(delete_batch: Callable[[], int]) -> int:
    """How many rows went in all: `delete_batch`, a small transaction, is called until it finds none."""
    deleted = 0
    while batch := delete_batch():
        deleted += batch
    return deleted
