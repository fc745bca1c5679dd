"""Other languages of the page: how a text is found, what a catalogue may hold, and that what ships says everything that the page does."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from pipelines.errors import StudioError
from pipelines.languages import catalogue
from pipelines.languages.catalogue import catalogues, read, wrong
from pipelines.languages.phrases import SLOT, Phrases
from pipelines.languages.units import units
from studio import languages
from tests.unit.page_texts import PROJECT, page_units, sentences_of_errors
from tests.unit.still_english import left

SHOWN = ("assets/glossary.yaml", "assets/lesson/steps.yaml", "assets/lesson/plans.yaml", "assets/lesson/background.yaml")
FOR_PROGRAMS = {
    "api.py",
    "apivalues.py",
    "opening.py",
    "announcing.py",
    "listening.py",
}  # answers to programs, and what stands in a terminal
KNOWN = {
    "Ask all": "全部提问",
    "adapter": "适配器",
    "Economic": "经济",
    "{#1} row{s} dropped by {1}.": "{1} 去掉了 {#1} 行。",
    "Look at <b>{1}</b> first.": "先看 <b>{1}</b>。",
    "The models were asked: <q>{1}</q>": "问题是：<q>{1}</q>",
    "It is your turn": "轮到你了",
    "Press “{1}”.": "请按“{1}”。",
}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Ask all", "全部提问"),
        ("  ask all ", "  全部提问 "),
        ("Adapter", "适配器"),
        ("Ask all …", "全部提问…"),
        ("It is your turn. Press “Ask all”.", "轮到你了。请按“全部提问”。"),
        ("1 row dropped by adapter.", "适配器 去掉了 1 行。"),
        ("1,204 rows dropped by Economic.", "经济 去掉了 1,204 行。"),
        ("Look at <b>adapter</b> first.", "先看 <b>适配器</b>。"),
        ("The models were asked: <q>Economic</q>", "问题是：<q>Economic</q>"),
        ("Economic: adapter", "经济：适配器"),
        ("Economic · somebody's own name", "经济 · somebody's own name"),
        ("adapter (Economic)", "适配器（经济）"),
        ("12.5 %", "12.5 %"),
        ("somebody's own name", None),
        ("Two sentences. Of somebody.", None),
    ],
)
def test_a_text_is_found_whole_by_pattern_by_sentence_or_by_part(text: str, said: str | None) -> None:
    assert Phrases(KNOWN).say(text) == said


def test_a_slot_never_holds_more_than_one_sentence() -> None:
    assert (
        Phrases(KNOWN).say("2 rows dropped by adapter. Nobody knows. This or that.") == "适配器 去掉了 2 行。 Nobody knows. This or that."
    )


@pytest.mark.parametrize(
    ("html", "found"),
    [
        ('<p class="x">Look at <b class="y">this</b> &amp; that.</p><p>Then go.</p>', ["Look at <b>this</b> & that.", "Then go."]),
        ("<b>All of it</b>", ["All of it"]),
        ("<script>const a = 1</script>Said<br>again", ["Said", "again"]),
        ('<input placeholder="Type here">', ["Type here"]),
        ("half <b>open", ["half open"]),
    ],
)
def test_html_is_read_in_runs_of_text(html: str, found: list[str]) -> None:
    assert units(html) == found


@pytest.mark.parametrize(
    ("source", "target"),
    [("Ask {1}", "问"), ("Ask", "问 {1}"), ("<b>a</b> b", "甲 乙"), ("Ask", ""), ("{#1} rows", "{1} 行"), (1, "一")],
)
def test_a_line_with_other_slots_or_tags_than_the_english_text_is_refused(source: str, target: str) -> None:
    assert wrong(source, target) and not wrong("{#1} row{s} of <b>{1}</b>", "<b>{1}</b> 的 {#1} 行")


def test_a_third_language_is_one_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "de.yaml").write_text("name: Deutsch\ntexts:\n  Ask all: Alle fragen\n", encoding="utf-8")
    monkeypatch.setattr(catalogue, "FOLDER", tmp_path)
    for cached in (catalogues, languages._packed):
        cached.cache_clear()
    try:
        assert [one.name for one in catalogues()] == ["Deutsch"] and catalogues()[0].phrases.say("ask all") == "Alle fragen"
        assert '<option value="de" lang="de">Deutsch</option>' in languages.choice()
    finally:
        monkeypatch.undo()
        for cached in (catalogues, languages._packed):
            cached.cache_clear()


@pytest.mark.parametrize(
    ("name", "text"),
    [("xx!.yaml", "name: X\ntexts: {}"), ("de.yaml", "name: X"), ("de.yaml", "[1]"), ("de.yaml", "name: X\ntexts:\n  a: [1]"), ("de.yaml", "a: &b [*b]")],
)  # fmt: skip
def test_a_file_that_is_no_catalogue_gets_a_sentence(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(StudioError, match="catalogue"):
        read(tmp_path / name)


def files() -> Iterator[Path]:
    yield from (file for file in sorted((PROJECT / "studio").rglob("*.py")) if file.name not in FOR_PROGRAMS)
    yield from (PROJECT / name for name in SHOWN)


@pytest.mark.parametrize("one", catalogues(), ids=lambda one: one.code)
class TestShipped:
    def test_no_text_stands_in_it_twice(self, one: catalogue.Catalogue) -> None:
        node = yaml.compose((catalogue.FOLDER / f"{one.code}.yaml").read_text(encoding="utf-8"))
        texts = next(value for key, value in node.value if key.value == "texts")
        keys = [key.value for key, _ in texts.value]
        assert len(keys) == len(set(keys)) > 1000

    def test_every_slot_stands_among_enough_words_to_catch_nothing_else(self, one: catalogue.Catalogue) -> None:
        loose = [source for source in one.texts if "{1}" in source and len(SLOT.sub("", source).replace(" ", "")) < 3]
        assert not loose

    def test_it_says_every_text_of_the_page_s_own_code_and_files(self, one: catalogue.Catalogue) -> None:
        silent = set((PROJECT / "tests/unit/not_on_the_page.txt").read_text(encoding="utf-8").splitlines())
        missing = [
            f"{file.relative_to(PROJECT)}:{line}: {unit}"
            for file in files()
            for line, unit in page_units(file)
            if unit not in silent and left(unit, one.phrases)
        ]
        assert not missing, "\n".join(missing[:40])

    def test_it_says_every_error(self, one: catalogue.Catalogue) -> None:
        silent = set((PROJECT / "tests/unit/not_on_the_page.txt").read_text(encoding="utf-8").splitlines())
        terminal = ("commands", "deploying", "remote", "cli.py")
        found = [
            f"{file.relative_to(PROJECT)}:{line}: {unit}"
            for file in sorted((PROJECT / "pipelines").rglob("*.py"))
            if not any(part in file.parts for part in terminal)
            for line, unit in sentences_of_errors(file)
            if unit not in silent and left(unit, one.phrases)
        ]
        assert not found, "\n".join(found[:40])
