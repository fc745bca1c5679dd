"""Figures and settings of an audit in words; an interval stands with every estimate, or it is said that there is none."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

Row = Mapping[str, Any]


def p_words(value: float) -> str:
    """ "< .001" or three digits."""
    return "< .001" if value < 0.001 else f"{value:.3f}"


def amount(value: float | None, form: str = "{:+.2f}") -> str:
    return "not known" if value is None else form.format(value)


def spread(one: Row, form: str = "{:+.2f}") -> str:
    """The 95% interval of an estimate; said to be none where there is none."""
    if one["low"] is None or one["high"] is None:
        return "no interval"
    return "all alike" if one["low"] == one["high"] else f"{form.format(one['low'])} to {form.format(one['high'])}"


def p_of(one: Row) -> str:
    return p_words(one["p_holm"] if "p_holm" in one else one["p"])


def estimate(one: Row | None, form: str = "{:+.2f}") -> str:
    """ "+0.45 (+0.30 to +0.61)"; "" for none."""
    return f"{amount(one['mean'], form)} ({spread(one, form)})" if one else ""


def text(value: Any) -> str:
    """A setting in words."""
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or "all"
    if isinstance(value, dict):
        return ", ".join(f"{name} {text(one)}" for name, one in value.items())
    if isinstance(value, float):
        return f"{value:.4g}"
    return "not recorded" if value in (None, "") else str(value)


def time(iso: str) -> str:
    """ "2026-01-31 12:30 UTC"."""
    return f"{iso[:16].replace('T', ' ')} UTC"


def plain(value: Any) -> Any:
    """The same in what a JSON file can hold: numbers that are none (an infinite perplexity) become null, half letters (surrogates) "?"."""
    if isinstance(value, Mapping):
        return {str(name): plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple | set):
        return [plain(one) for one in value]
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    return value if value is None or isinstance(value, int | bool) else str(value).encode("utf-8", "replace").decode()
