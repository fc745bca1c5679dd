"""Finds the English texts that the page shows: string literals of the code that lays it out, errors, and the texts of assets/."""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from pipelines.languages.units import units

PROJECT = Path(__file__).resolve().parents[2]
MOST_VARIANTS = 12
PROSE = re.compile(r"[A-Za-z]{2,}")
NO_PROSE = re.compile(r"^\s*(\(|\.|#|@|function|const |//|document|window)|=>|\bvar\(|;\s*$|\{\s*$|--[a-z]|\w\(\)")
NAMING = {"label", "info", "placeholder", "title", "heading", "hint", "text", "name", "help", "what"}


def in_code(file: Path) -> Iterator[tuple[int, str]]:
    """(line, text) of every string of two words and more that is no docstring; where a choice stands in it, once for each."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    skipped = set(_silent(tree))
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.BinOp | ast.JoinedStr | ast.Constant):
            found = [text for text in _variants(node) if _is_prose(text)]
            if found:
                skipped.update(id(inner) for inner in ast.walk(node) if isinstance(inner, ast.Constant | ast.JoinedStr | ast.BinOp))
                yield from ((node.lineno, text) for text in found)


def _is_prose(text: str) -> bool:
    plain = re.sub(r"<[^>]*>", " ", text)
    return len(PROSE.findall(plain)) >= 2 and " " in plain.strip() and not NO_PROSE.search(text)


def _silent(tree: ast.AST) -> Iterator[int]:
    """Docstrings, annotations, keys of subscripts."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            yield id(node.value)
        if isinstance(node, ast.keyword) and node.arg in (
            "js",
            "js_on_load",
            "elem_id",
            "elem_classes",
            "css",
            "api_description",
            "pattern",
        ):
            yield from (id(inner) for inner in ast.walk(node.value))


def _variants(node: ast.AST) -> list[str]:
    """What a string expression can be, with 7 for every value that is not written there."""
    if isinstance(node, ast.Constant):
        return [node.value] if isinstance(node.value, str) else []
    if isinstance(node, ast.JoinedStr):
        parts = [_variants(one) if isinstance(one, ast.Constant) else _value(one) for one in node.values]
        return ["".join(chosen) for chosen in itertools.islice(itertools.product(*parts), MOST_VARIANTS)]
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        left, right = _variants(node.left), _variants(node.right)
        return [a + b for a, b in itertools.islice(itertools.product(left, right), MOST_VARIANTS)]
    return []


def _value(node: ast.AST) -> list[str]:
    inner = node.value if isinstance(node, ast.FormattedValue) else node
    if isinstance(inner, ast.IfExp):
        return [text for branch in (inner.body, inner.orelse) for text in (_variants(branch) or ["7"])][:4]
    return _variants(inner) or ["7"]


def in_yaml(file: Path) -> Iterator[tuple[int, str]]:
    """(0, text) of every value of two words and more."""
    yield from ((0, text) for text in _leaves(yaml.safe_load(file.read_text(encoding="utf-8"))) if _is_prose(text))


def _leaves(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for one in value.values():
            yield from _leaves(one)
    elif isinstance(value, list):
        for one in value:
            yield from _leaves(one)
    elif isinstance(value, str):
        yield value


def page_units(file: Path) -> list[tuple[int, str]]:
    """(line, unit) of everything in a file that the page may show."""
    found = in_yaml(file) if file.suffix == ".yaml" else in_code(file)
    return list(dict.fromkeys((line, unit) for line, text in found for unit in units(text) if PROSE.search(unit)))


def sentences_of_errors(file: Path) -> list[tuple[int, str]]:
    """(line, unit) of what is said with every StudioError that a file makes."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    made = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "StudioError"]
    found = [(node.lineno, text) for node in made for part in node.args for text in _variants(part) if _is_prose(text)]
    return list(dict.fromkeys((line, unit) for line, text in found for unit in units(text) if PROSE.search(unit)))
