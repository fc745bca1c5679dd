"""What hypothesis draws for the property tests: hostile words and numbers, JSON values, and good values of which one place was exchanged."""

from __future__ import annotations

import copy
import json
import math
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from pipelines.errors import StudioError

# The same examples on every machine, so that a failure can be repeated. To look for others, set derandomize to False here, raise
# max_examples, and run: pytest tests/unit/test_properties.py -p no:xdist --hypothesis-seed=7
COMMON: dict[str, Any] = {
    "deadline": None,
    "derandomize": True,
    "database": None,
    "suppress_health_check": [HealthCheck.too_slow, HealthCheck.function_scoped_fixture, HealthCheck.data_too_large],
}
FEW, MANY = settings(max_examples=20, **COMMON), settings(max_examples=50, **COMMON)

HOSTILE = (
    "", " ", "\x00", "\ud800", "a\udfff", "\u202eevil", "\u200b", "\ufeff", "=1+1", "@x", "-1", "'", '"', "<script>", "a\nb", "a\r", "\t=2", "../..",
    "/etc/passwd", "nan", "inf", "1e999", "-0", "9" * 5_000, "null", "true", "*a", "&a", "{{", "[[[[", "a,b;c", "🗳️", "e\u0301", "x" * 700, "\x85", "\u2028",
)  # fmt: skip
words = st.one_of(st.sampled_from(HOSTILE), st.text(st.characters(exclude_categories=()), max_size=40))
whole_words = st.one_of(
    st.sampled_from([one for one in HOSTILE if "\ud800" not in one and "\udfff" not in one]),
    st.text(st.characters(exclude_categories=("Cs",)), max_size=40),
)
numbers = st.one_of(
    st.integers(-3, 70), st.integers(), st.sampled_from([10**400, -(10**400), 10**4_000, 2**31, -0.0, math.nan, math.inf, -math.inf, 1e-9]),
    st.floats(),
)  # fmt: skip
leaves = st.one_of(st.none(), st.booleans(), numbers, words)
values = st.recursive(leaves, lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(words, inner, max_size=4)), max_leaves=8)
JSON_NUMBERS = st.one_of(st.integers(-(10**400), 10**400), st.floats())
json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), JSON_NUMBERS, words),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(words, inner, max_size=4)),
    max_leaves=8,
)


BOOK = {"version": 1, "codes": [{"id": "a", "name": "A", "definition": "Says A.", "examples": ["a"], "counterexamples": []}]}


@st.composite
def altered(draw: Any, good: Any, inner: Any = json_values) -> Any:
    """A good value in which one place, anywhere in it, was exchanged for something else, left out, or doubled."""
    whole = copy.deepcopy(good)
    place = whole
    while True:
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        if not keys:
            return draw(inner)
        key = draw(st.sampled_from(keys))
        if isinstance(place[key], dict | list) and place[key] and draw(st.integers(0, 3)):
            place = place[key]
            continue
        how = draw(st.sampled_from(["exchange", "exchange", "exchange", "leave out", "add"]))
        if how == "leave out":
            del place[key]
        elif how == "add" and isinstance(place, dict):
            place[draw(words)] = draw(inner)
        elif how == "add":
            place.append(copy.deepcopy(place[key]))
        else:
            place[key] = draw(inner)
        return whole


@st.composite
def spoilt(draw: Any, good: bytes) -> bytes:
    """Good bytes of which some were exchanged, cut off or put in."""
    data = bytearray(good)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, max(0, len(data) - 1)))
        how = draw(st.sampled_from(["exchange", "cut", "put in", "take out"]))
        if how == "cut":
            del data[at:]
        elif how == "take out":
            del data[at : at + draw(st.integers(1, 8))]
        elif how == "put in":
            data[at:at] = draw(st.binary(min_size=1, max_size=8))
        else:
            new = draw(st.binary(min_size=1, max_size=4))
            data[at : at + len(new)] = new
    return bytes(data)


def told(attempt: Callable[[], Any]) -> Any:
    """The value, or None where a sentence came; that sentence can be shown. Any other exception is what the test looks for."""
    try:
        return attempt()
    except StudioError as error:
        f"{error.message} {error.hint}".encode()
        assert error.message and len(str(error)) < 5_000
        return None


@contextmanager
def written(name: str, content: bytes | str) -> Iterator[Path]:
    """A file in a folder of its own."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / name).write_bytes(content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass"))
        yield Path(folder) / name


def dumped(value: Any) -> str:
    return json.dumps(value, ensure_ascii=True)
