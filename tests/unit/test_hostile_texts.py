"""Texts by strangers in cards, sentences, tables, plots and reports: they stay text. What a browser makes of them: tests/browser/test_hostile.py."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from pipelines.corpus import card as data_card
from pipelines.corpus.description import describe
from pipelines.corpus.layout import survey
from pipelines.export import audit_page, review_html
from pipelines.tuning.sharing import card as model_card
from studio.views import messages, selection
from tests.adapter_files import JOB, METRICS

ESCAPED = "\\<img src=x onerror=alert(1)\\> \\[a\\](javascript:alert(1)) $$\\rule{9em}{9em}$$"  # backslashes that undo a careless escape
ROW = {"id": "1", "prompt": "a", "chosen": "b", "rejected": "c"}
RIGHT_TO_LEFT = "\u202e"


def rendered(markdown: str) -> str:
    return str(pytest.importorskip("markdown_it").MarkdownIt("commonmark", {"html": True}).enable("table").render(markdown))


def test_a_data_card_shows_strangers_words_and_not_what_they_mean_in_markdown() -> None:
    made = describe("x", "pairs", survey("pairs", [ROW]), {"source": {ESCAPED: ESCAPED}, "license": ESCAPED, "legal_basis": ESCAPED}, [])
    page = rendered(data_card.text({**made, "name": ESCAPED, "parents": [ESCAPED], "saved": ESCAPED}))
    assert "<img" not in page and "<a " not in page
    assert page.count("&lt;img src=x onerror=alert(1)") >= 6


def test_a_model_card_neither_renders_nor_runs_a_strangers_words() -> None:
    base = 'x"\nimport os  # """\n```\n' + ESCAPED
    job = {**JOB, "side": ESCAPED, "data": {**JOB["data"], "name": ESCAPED}, "recipe": {**JOB["recipe"], ESCAPED: ESCAPED}}
    made = model_card.text(job, {**METRICS, "base": base, "rows": ESCAPED, "template_hash": ESCAPED})
    page = rendered(made)
    assert "<img" not in page and "<a " not in page and "\nimport os" not in made
    code = made.partition("```python\n")[2].partition("```")[0]
    assert len([line for line in code.splitlines() if line.startswith("base = ")]) == 1
    compile(code, "card", "exec")


def test_a_long_source_is_no_path(tmp_path: object) -> None:
    long = "a/" + "b" * 5_000
    assert describe("x", "pairs", survey("pairs", [ROW]), {"source": long}, [])["source"] == {"reference": long}


def test_a_name_that_turns_the_direction_of_writing_does_not_turn_the_sentence_around_it() -> None:
    for made in (messages.note, messages.good, messages.info, messages.error):
        assert RIGHT_TO_LEFT not in made(f"“{RIGHT_TO_LEFT}name” was saved.")
    assert "[U+202E]" in review_html.page(RIGHT_TO_LEFT, [review_html.tag("p", RIGHT_TO_LEFT)]).split("<body>")[1]


def test_an_audit_names_a_column_alike_wherever_it_stands() -> None:
    assert audit_page.visible({RIGHT_TO_LEFT: [RIGHT_TO_LEFT]}) == {"[U+202E]": ["[U+202E]"]}


def test_long_cells_wrap_and_short_ones_do_not() -> None:
    made = messages.table(["a", "b"], [["short", "<" * 41]], numbers=())
    assert '<td>short</td><td class="ps-long">&lt;' in made


def test_topics_of_strangers_bring_no_markup_into_a_plot() -> None:
    posts = SimpleNamespace(scores=[1.0], topics=["<a href=x>t</a>"], ids=["1"])
    drawn = selection.strip(posts, [], [0], {"1": "<b>words</b>"}, "balanced")  # type: ignore[arg-type]
    assert list(drawn.layout.yaxis.ticktext) == ["‹a href=x›t‹/a›"] and "<b>words" not in str(drawn.data)
