"""The glossary: read strictly, complete for the settings, without dead entries; and what the page makes of it."""

from __future__ import annotations

import json
import re
from dataclasses import fields
from html import unescape
from pathlib import Path

import pytest

from pipelines import glossary
from pipelines.errors import StudioError
from pipelines.paths import PROJECT
from pipelines.records import Sampling
from pipelines.tuning.recipe import Recipe
from studio.help import SKIP, script, tour
from studio.help import glossary as listed

TEXTS = "\n".join(
    file.read_text(encoding="utf-8").lower()
    for folder in ("studio", "pipelines")
    for file in sorted((PROJECT / folder).rglob("*.py"))
    if "help" not in file.parts and file.name != "glossary.py"
)
PLAIN = {  # labels of settings that say by themselves what they are
    "Method", "Steps at most", "Top layers", "Parts of a layer", "Look every (steps)", "Keep every (steps)", "Save memory", "SFT share", "SFT weight",
}  # fmt: skip


def explained(label: str) -> bool:
    terms = glossary.terms()
    spelled = {spelling.lower() for one in terms for spelling in one.found}
    begins = tuple(start for one in terms for start in one.labels)
    return label.startswith(begins) or any(re.search(rf"(?<![\w-]){re.escape(one)}(?![\w-])", label.lower()) for one in spelled)


def test_there_are_enough_words_each_in_one_or_two_short_sentences() -> None:
    terms = glossary.terms()
    assert len(terms) >= 45 and [one.term.lower() for one in terms] == sorted(one.term.lower() for one in terms)
    for one in terms:
        assert one.says.endswith(".") and one.says[0].isupper() and 1 <= len(re.findall(r"[.!?](?: |$)", one.says)) <= 3, one.key
        assert one.found or one.labels, f"{one.key} is found nowhere"


@pytest.mark.parametrize("key", [one.key for one in glossary.terms() if one.found])
def test_each_word_stands_somewhere_in_the_studio(key: str) -> None:
    (term,) = [one for one in glossary.terms() if one.key == key]
    assert any(re.search(rf"(?<![\w-]){re.escape(spelling.lower())}(?![\w-])", TEXTS) for spelling in term.found)


@pytest.mark.parametrize("label", [one.metadata["label"] for kind in (Recipe, Sampling) for one in fields(kind)])
def test_every_setting_has_its_word(label: str) -> None:
    assert explained(label) or label in PLAIN


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "one: {term: One}",
        "one: {term: One, says: It is one., found: one}",
        "one: {term: One, says: It is one., other: x}",
        "one: {term: One, says: It is one., found: [same]}\ntwo: {term: Two, says: It is two., found: [Same]}",
        f"one: {{term: One, says: {'word ' * 80}}}",
        "one: [",
    ],
)
def test_a_damaged_glossary_is_refused_with_a_sentence(tmp_path: Path, text: str) -> None:
    file = tmp_path / "glossary.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(StudioError, match="lossary|longer than|twice"):
        glossary.read(file)


def test_the_page_holds_every_word_once_and_the_script_finds_them_by_their_spelling() -> None:
    html = listed.listed()
    ids = re.findall(r'id="ps-says-(\w+)"', html)
    assert len(ids) == len(set(ids)) == len(glossary.terms())
    found = json.loads(unescape(re.search(r'data-found="([^"]*)"', html)[1]))  # type: ignore[index]
    assert found["placebo"] == "placebo" and set(found.values()) <= set(ids) and all(one == one.lower() for one in found)


def test_the_tour_has_four_stops_and_the_scripts_are_functions() -> None:
    stops = json.loads(unescape(re.search(r'data-stops="([^"]*)"', tour.again())[1]))  # type: ignore[index]
    assert len(stops) == 4 and all(stop["says"].endswith(".") and len(stop["says"].split()) < 55 for stop in stops)
    assert all(script(name).startswith("() => {") for name in ("reach", "glossary", "tour"))
    assert 'href="#ps-content"' in SKIP
