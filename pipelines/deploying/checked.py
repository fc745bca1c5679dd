"""YAML values as the settings of a dataclass, or a sentence about what is wrong with them."""

from __future__ import annotations

from dataclasses import MISSING, fields
from typing import Any

from pipelines.errors import StudioError

KINDS = {"str": str, "bool": bool, "int": int, "tuple[str, ...]": list, "Mapping[str, str]": dict, "Mapping[str, Profile]": dict}
CALLED = {
    str: "text (a number needs quotes)",
    bool: "true or false",
    int: "a whole number",
    list: "a list of texts",
    dict: "names with values",
}


def checked(kind: type, values: Any, where: str, given_already: tuple[str, ...] = ()) -> dict[str, Any]:
    """The settings of a dataclass from YAML: none unknown, none missing, each of its type; lists as tuples."""
    if not isinstance(values, dict):
        raise StudioError(f"{where} is not a list of settings.", "It must hold `setting: value` lines.")
    wanted = {one.name: one for one in fields(kind) if one.name not in given_already}
    unknown = [str(name) for name in values if name not in wanted]
    if unknown:
        raise StudioError(f"{where} has “{unknown[0][:40]}”, which nothing here is called.", f"Choose among {', '.join(wanted)}.")
    missing = [name for name, one in wanted.items() if name not in values and one.default is MISSING and one.default_factory is MISSING]
    if missing:
        raise StudioError(f"{where} lacks {missing[0]}.", "Add it.")
    return {name: _typed(wanted[name].type, value, f"{where}: {name}") for name, value in values.items()}


def _typed(annotation: Any, value: Any, where: str) -> Any:
    kind = KINDS[str(annotation)]
    texts: list[Any] = [*value.keys(), *value.values()] if isinstance(value, dict) else value if isinstance(value, list) else []
    plain = str(annotation) == "Mapping[str, Profile]" or all(isinstance(one, str) for one in texts)
    if type(value) is not kind or not plain:
        raise StudioError(f"{where} has a value of the wrong kind.", f"Give {CALLED[kind]}.")
    return tuple(texts) if kind is list else value
