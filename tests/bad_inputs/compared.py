"""Comparisons that come back damaged, exchanged or made up: from a browser, from a saved file, from a link."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from pipelines import bundled
from pipelines.comparing import comparison
from pipelines.comparing.comparison import Comparison
from pipelines.export.comparison import _seal_of, from_jsonl, to_jsonl
from pipelines.paths import Paths, read_json
from tests.bad_inputs.trial import Taken, table

HALF, NAN, HUGE = "\ud800", float("nan"), 10**400
DEEP = "[" * 100_000
NOT_ONE = "not a comparison of this studio, or it is damaged"
Change = Callable[[Any], Any]


@cache
def _recorded(name: str) -> Any:
    return read_json(bundled.RECORDED / name)


def changed(name: str, change: Change) -> Any:
    """A recorded value after `change`, which alters it in place or returns another one."""
    value = copy.deepcopy(_recorded(name))
    return change(value) or value


def put(*way: Any, value: Any) -> Change:
    """Puts a value into a place of a nested one."""

    def change(whole: Any) -> None:
        for step in way[:-1]:
            whole = whole[step]
        whole[way[-1]] = value

    return change


def drop(*way: Any) -> Change:
    def change(whole: Any) -> None:
        for step in way[:-1]:
            whole = whole[step]
        del whole[way[-1]]

    return change


def _compared(change: Change, folder: Path) -> Any:
    made = Comparison.from_dict(changed("comparison.json", change))
    return made.id and len(made.turns)


TURN = ("turns", 0)
ANSWER = (*TURN, "answers", 0)
COMPARISONS = table(
    "comparison",
    _compared,
    {
        "nothing": (lambda value: [None], NOT_ONE),
        "a list": (lambda value: [value], NOT_ONE),
        "no columns": (put("keys", value=[]), NOT_ONE),
        "columns that are a number": (put("keys", value=5), NOT_ONE),
        "a column twice": (lambda value: put("keys", value=[value["keys"][0]] * len(value["keys"]))(value), NOT_ONE),
        "a column with half a character": (put("keys", 0, value=HALF), NOT_ONE),
        "no turns": (put("turns", value=[]), NOT_ONE),
        "13 turns": (lambda value: put("turns", value=value["turns"] * 13)(value), NOT_ONE),
        "turns that are a text": (put("turns", value="turns"), NOT_ONE),
        "a question with half a character": (put(*TURN, "question", value=HALF), NOT_ONE),
        "a question of 601 characters": (put(*TURN, "question", value="x" * 601), NOT_ONE),
        "a system prompt with half a character": (put("system", value=HALF), NOT_ONE),
        "a system prompt of a megabyte": (put("system", value="x" * 1_000_000), NOT_ONE),
        "a strength of NaN": (put("strength", value=NAN), NOT_ONE),
        "a strength of 400 digits": (put("strength", value=HUGE), NOT_ONE),
        "a strength of 9": (put("strength", value=9), NOT_ONE),
        "no sampling": (drop("sampling"), NOT_ONE),
        "a temperature of 3": (put("sampling", "temperature", value=3), "Temperature is 3"),
        "a seed of 4,000 digits": (put("sampling", "seed", value=10**4_000), "Seed is"),
        "a seed of True": (put("sampling", "seed", value=True), "Seed is True"),
        "an answer less than columns": (drop(*ANSWER), NOT_ONE),
        "an answer with other words": (put(*ANSWER, "text", value="I was changed."), "and its stamp do not belong together"),
        "an answer with another's stamp": (put(*ANSWER, "stamp", "seed", value=99), "and its stamp do not belong together"),
        "an answer without a seal": (drop(*ANSWER, "seal"), NOT_ONE),
        "an answer that is a text": (put(*ANSWER, value="yes"), NOT_ONE),
        "a stamp that is a list": (put(*ANSWER, "stamp", value=[]), NOT_ONE),
        "a stamp with one thing more": (put(*ANSWER, "stamp", "owner", value="me"), NOT_ONE),
        "tokens that are a text": (put(*ANSWER, "tokens", value="many"), "do not belong together"),
    },
)


def _lines(change: Change = lambda value: None) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    head, *lines = [json.loads(line) for line in to_jsonl(Comparison.from_dict(_recorded("comparison.json"))).splitlines()]
    return change(head) or head, lines


def _file(
    change: Change = lambda value: None, line: Change = lambda value: None, reseal: bool = True, replace: tuple[str, str] = ("", "")
) -> str:
    """A saved comparison after changes to its first and second line, with a seal that fits again where `reseal`."""
    head, lines = _lines(change)
    lines[0] = line(lines[0]) or lines[0]
    if reseal:
        head["seal"] = _seal_of(head)
    text = "".join(json.dumps(one) + "\n" for one in (head, *lines))
    return text.replace(*replace, 1) if replace[0] else text


NESTED = '{"kind": "comparison", "a": ' + '{"a": ' * 800 + "1" + "}" * 801
COMPARISON_FILES = table(
    "comparison file",
    lambda make, folder: len(from_jsonl(make()).turns),
    {
        "an empty file": (lambda: "", "holds no comparison"),
        "no JSON": (lambda: "hello\n", "Line 1 of this file is broken"),
        "a list": (lambda: "[]\n", "Line 1 of this file is no object"),
        "a batch": (lambda: '{"kind": "batch"}\n', "holds no comparison"),
        "nested without end": (lambda: DEEP, "Line 1 of this file is broken"),
        "nested 800 levels deep": (lambda: NESTED, "was changed after it was saved"),
        "half a character in the first line": (lambda: '{"kind": "comparison", "a": "\\ud800"}', "was changed after it was saved"),
        "a first line that was changed": (lambda: _file(put("system", value="x"), reseal=False), "was changed after it was saved"),
        "a first line that was changed and sealed anew": (lambda: _file(put("system", value="x")), "was changed after it was saved"),
        "a turn of infinity": (lambda: _file(line=put("turn", value=float("inf"))), "is not whole"),
        "a turn of 1e999": (lambda: _file(line=put("turn", value="@"), replace=('"@"', "1e999")), "is not whole"),
        "a turn that is a list": (lambda: _file(line=put("turn", value=[])), "is not whole"),
        "a turn of 5,000 digits": (lambda: _file(line=put("turn", value="@"), replace=('"@"', "9" * 5_000)), "Line 2 of this file is broken"),
        "an answer without words": (lambda: _file(line=drop("text")), "is not whole"),
        "an answer with other words": (lambda: _file(line=put("text", value="changed")), "do not belong together"),
        "an answer missing": (lambda: "\n".join(_file().splitlines()[:-1]), NOT_ONE),
        "a byte order mark": (lambda: "\ufeff" + _file(), Taken(1)),
    },
)  # fmt: skip


def _linked(content: bytes, folder: Path) -> Any:
    home = Paths(folder)
    home.comparisons.mkdir(parents=True)
    (home.comparisons / f"{'0' * 16}.json").write_bytes(content)
    return comparison.opened("0" * 16, home)


KEPT_COMPARISONS = table(
    "kept comparison",
    _linked,
    {
        "an empty file": (b"", NOT_ONE),
        "cut off": (b'{"keys": [', NOT_ONE),
        "not UTF-8": (b'{"keys": "\xff"}', NOT_ONE),
        "nested without end": (DEEP.encode(), NOT_ONE),
        "another one under this id": (json.dumps(read_json(bundled.RECORDED / "comparison.json")).encode(), NOT_ONE),
    },
)

TRIALS = [*COMPARISONS, *COMPARISON_FILES, *KEPT_COMPARISONS]
