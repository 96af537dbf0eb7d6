"""The query words of print: a boolean stack per row, as in the RouterOS manual, section "Queries".

The stack does not depend on the data, so the words are run once, over expressions instead of values. What is left is a
list of expressions that must all hold for a row, and from the equalities in them the rows that can match at all are
found without looking at the others.
"""

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

Ids = set[int]


class Source(Protocol):
    """What a query needs to know of a table."""

    def getter(self, name: str) -> Callable[[int, Any], str | None]:
        """A function from row id and row to the printed value, None where the row has none."""
        ...

    def sort_key(self, name: str) -> Callable[[str], Any]:
        """How values of this property are ordered; the key raises ValueError for what is no such value."""
        ...

    def equal_text(self, name: str, text: str) -> str:
        """The printed form that `text` is compared as."""
        ...

    def lookup(self, name: str, value: str) -> Ids | None:
        """Ids of the rows whose property equals value; None when there is no index to tell."""
        ...


Test = Callable[[int, Any], bool]


@dataclass(frozen=True, slots=True)
class Expression:
    test: Test
    candidates: Ids | None = None  # None: any row may match


ALWAYS = Expression(lambda _id, _row: True)


def compile_query(words: Sequence[str], source: Source) -> list[Expression]:
    """The expressions that a row must satisfy, all of them."""
    stack: list[Expression] = []
    for word in words:
        body = word[1:]
        if body.startswith("#"):
            _operate(stack, body[1:])
        else:
            stack.append(_leaf(body, source))
    return [expression for expression in stack if expression is not ALWAYS]


def candidates_of(expressions: Sequence[Expression]) -> Ids | None:
    """Ids outside of which no row satisfies all expressions; None when any row may."""
    known = [expression.candidates for expression in expressions if expression.candidates is not None]
    return set.intersection(*known) if known else None


def _leaf(body: str, source: Source) -> Expression:
    first = body[:1]
    if first == "-":
        return _presence(source.getter(body[1:]), False)
    if first == "=":
        name, _, value = body[1:].partition("=")
        return _equal(name, value, source)
    if first in ("<", ">"):
        name, _, value = body[1:].partition("=")
        return _compare(first, name, value, source)
    name, has_value, value = body.partition("=")
    return _equal(name, value, source) if has_value else _presence(source.getter(name), True)


def _presence(get: Callable[[int, Any], str | None], wanted: bool) -> Expression:
    return Expression(lambda row_id, row: (get(row_id, row) is not None) is wanted)


def _equal(name: str, value: str, source: Source) -> Expression:
    get, wanted = source.getter(name), source.equal_text(name, value)
    return Expression(lambda row_id, row: get(row_id, row) == wanted, source.lookup(name, wanted))


def _compare(sign: str, name: str, value: str, source: Source) -> Expression:
    get, key = source.getter(name), source.sort_key(name)
    compare = operator.lt if sign == "<" else operator.gt
    try:
        bound = key(value)
    except ValueError:  # not of the property's type: compared as text
        key, bound = str, value

    def test(row_id: int, row: Any) -> bool:
        text = get(row_id, row)
        if text is None:
            return False
        try:
            return bool(compare(key(text), bound))
        except ValueError:
            return False

    return Expression(test)


def _operate(stack: list[Expression], operations: str) -> None:
    position, previous_was_index = 0, False
    while position < len(operations):
        end = position
        while end < len(operations) and operations[end].isdigit():
            end += 1
        if end > position:
            chosen = _at(stack, int(operations[position:end]))
            if end == len(operations):
                stack[:] = [chosen]
            else:
                stack.append(chosen)
            position, previous_was_index = end, True
            continue
        _apply(stack, operations[position], previous_was_index)
        position, previous_was_index = position + 1, False


def _at(stack: list[Expression], index: int) -> Expression:
    return stack[-1 - index] if index < len(stack) else ALWAYS


def _pop(stack: list[Expression]) -> Expression:
    return stack.pop() if stack else ALWAYS  # below what was pushed there are only trues


def _apply(stack: list[Expression], sign: str, after_index: bool) -> None:
    if sign == "!":
        top = _pop(stack)
        stack.append(Expression(lambda row_id, row: not top.test(row_id, row)))
    elif sign == "&":
        one, other = _pop(stack), _pop(stack)
        known = candidates_of([one, other])
        stack.append(Expression(lambda row_id, row: one.test(row_id, row) and other.test(row_id, row), known))
    elif sign == "|":
        one, other = _pop(stack), _pop(stack)
        either = None if one.candidates is None or other.candidates is None else one.candidates | other.candidates
        stack.append(Expression(lambda row_id, row: one.test(row_id, row) or other.test(row_id, row), either))
    elif sign == "." and not after_index:
        stack.append(_at(stack, 0))
