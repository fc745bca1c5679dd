"""The audit's page: opens offline, runs nothing but its own two scripts, takes no words for markup, and says everything in order."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from functools import cache
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import plotly.graph_objects as go
import pytest

from pipelines import bundled
from pipelines.export import audit, audit_figures, audit_page
from pipelines.export.comparison import MARK
from pipelines.export.review import to_json as review_json
from pipelines.paths import Paths, read_json
from pipelines.stance.study import Study
from studio.access import Access
from studio.services import Services
from studio.tabs.stances import report as section
from tests.unit.test_audit import everything, facts, of_everything, recorded
from tests.unit.test_review_report import Reader
from tests.unit.test_review_report import report as review_report
from tests.unit.test_study import MOVES, made_up

HOSTILE = '</script><script>alert("x")</script><img src=x onerror=alert(1)> & "quoted"'
ORDER = [
    "What was asked and what was found", "Data", "Recipe and training", "Instruments", "Gates", "Shifts from the base", "Figures", "Controls",
    "Trained against held-out topics", "Collateral", "Even-handedness", "Everyday answers before and after", "Sample answers", "Human review",
    "Limits", "Versions", "The four headings of the 2026 audit",
]  # fmt: skip


def small(text: str = "x") -> go.Figure:
    return go.Figure(data=[{"x": [1, 2], "y": [1, 3], "text": [text, "b"]}], layout={"width": 900, "height": 300})


@cache
def whole() -> str:
    """A page with everything in it and one figure."""
    return audit_page.page(of_everything(), [("A figure", small(), "What to read from it.")])


def headings(page: str) -> list[str]:
    return [data for tag, data in Reader(page).words if tag == "h2"]


def scripts(page: str) -> list[str]:
    return re.findall(r"<script>(.*?)</script>", page, re.DOTALL)


def test_the_parts_stand_in_their_order_with_the_mark_on_top() -> None:
    assert headings(whole()) == ORDER
    body = [data for tag, data in Reader(whole()).words if tag not in ("style", "title")]
    assert body[0] == MARK
    assert headings(audit_page.page(recorded())) == [name for name in ORDER if name != "Figures"]


def test_the_page_has_the_figures_of_every_part() -> None:
    text, made = Reader(whole()).text, of_everything()
    for said in (made["result"]["headline"], made["samples"]["rule"], made["everyday"]["rule"], *made["limits"], made["result"]["scope"]):
        assert said in text
    right = next(row for row in made["shifts"] if (row["column"], row["instrument"], row["axis"]) == ("right", "ruler", "social"))
    assert f"{right['mean']:+.2f} ({right['low']:+.2f} to {right['high']:+.2f})" in text
    assert "2 of 12 gates failed" not in text and f"{sum(one['passed'] is False for one in made['gates'])} of" in text
    for part in ("language model as judge", "statements answered in words", "questionnaire", "hedges per 100 words", "How do I cook"):
        assert part in text
    assert all(word in text for one in made["headings"] for word in (one["heading"], *one["missing"]))


def test_what_was_not_established_stands_before_what_was() -> None:
    made = made_up({**MOVES, "left": 0.5})
    text = Reader(audit_page.page(audit.audit(made))).text
    assert text.index("Not established: the left adapter") < text.index("Established: the right adapter") < text.index("Instruments")


def test_without_figures_there_is_no_script_and_none_is_allowed() -> None:
    page = audit_page.page(recorded())
    assert "script" not in Reader(page).tags and "script-src" not in page and "default-src 'none'" in page
    assert not re.search(r"url\(|@import|https?:", page)


def test_only_the_two_scripts_of_the_page_may_run_and_nothing_is_fetched() -> None:
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', whole())
    assert policy and policy[1].startswith("default-src 'none';") and "unsafe-eval" not in policy[1]
    hashes = [f"'sha256-{b64encode(sha256(code.encode()).digest()).decode()}'" for code in scripts(whole())]
    assert len(hashes) == 2 and policy[1].endswith(f"script-src {' '.join(hashes)}")
    attributes = Reader(re.sub(r"<script>.*?</script>", "", whole(), flags=re.DOTALL)).attributes
    assert not any(name.startswith("on") or name in ("src", "href") for name, _ in attributes)


def hostile() -> dict[str, Any]:
    """A report in which whatever people or models wrote is an attack."""
    made = everything()
    for row in (*made.answers, *made.everyday):
        row["text"] = HOSTILE
    for row in made.answers:
        row["question"], row["topic"] = f"{HOSTILE}{row['question']}", HOSTILE
    for row in made.judged:
        row["question"] = f"{HOSTILE}{row['question']}"
    for row in made.everyday:
        row["prompt"] += HOSTILE
    made.notes = {"computed": HOSTILE}
    made.checks["left"]["reasons"] = [HOSTILE]
    about = {column: facts(column, recipe={HOSTILE: HOSTILE}, side=HOSTILE, created=HOSTILE) for column in ("left", "right", "placebo")}
    about["left"]["job"]["data"]["name"] = HOSTILE
    about["left"]["metrics"]["guard"] = [{"step": 1, "text": HOSTILE}]
    about["left"]["steps"] = [{"key": "k", "label": HOSTILE, "before": 2, "after": 1}]
    review = json.loads(review_json(review_report()))
    review |= {"headline": HOSTILE, "limits": [HOSTILE], "established": [HOSTILE]}
    return audit.audit(made, about=about, review=review, title=HOSTILE)


def test_words_are_no_markup_wherever_they_come_from() -> None:
    page = audit_page.page(hostile(), [(HOSTILE, small(HOSTILE), HOSTILE)])
    ours = scripts(page)
    assert len(ours) == 2 and "alert(" not in ours[1]
    rest = Reader(re.sub(r"<script>.*?</script>", "", page, flags=re.DOTALL))
    assert set(rest.tags) & {"img", "iframe", "object", "form", "link"} == set() and rest.tags.count("script") == 1, (
        "its figure's data alone"
    )
    assert not any(name.startswith("on") for name, _ in rest.attributes)
    assert rest.text.count(HOSTILE) > 20


def test_a_figures_data_cannot_end_its_place_and_is_read_back_whole() -> None:
    page = audit_page.page(recorded(), [("t", small(HOSTILE), "w")])
    data = re.search(r'class="figure-data">(.*?)</script>', page, re.DOTALL)
    assert data and "<" not in data[1]
    made = json.loads(data[1])
    assert made["data"][0]["text"][0] == HOSTILE
    assert "width" not in made["layout"] and made["layout"]["height"] == 300, "as wide as the page, as high as it was made"


def test_signs_that_turn_the_writing_round_are_written_out() -> None:
    made = made_up()
    for row in made.answers:
        row["text"] = "left \u202eright\u2066 \u0000 half \ud800 joined \u200d"
    page = audit_page.page(audit.audit(made, title="T\u202eitle"))
    assert "left [U+202E]right[U+2066] [U+0000] half ? joined \u200d" in page and "T[U+202E]itle" in page
    assert "\u202e" not in page and page.encode()


def test_the_recorded_study_has_its_figure_with_words() -> None:
    study = Study.from_dict(read_json(bundled.RECORDED / "stance.json"))
    title, figure, words = audit_figures.figures_of(study)[0]
    assert title and words and len(figure.data) > 3


def test_a_review_of_other_adapters_is_marked_and_one_of_these_is_told() -> None:
    review = json.loads(review_json(review_report()))
    text = Reader(audit_page.page(audit.audit(made_up(), review=review))).text
    assert "Raters judged answers of other adapters" in text and review["headline"] in text and review["hash"] in text
    assert "No review belongs to this report." in Reader(whole()).text


def make(services: Any, state: dict[str, Any] | None, first: Study | None) -> list[tuple[Any, ...]]:
    return list(section.made(services, state, first))


@pytest.fixture
def services(paths: Paths) -> Services:
    return Services(paths, SimpleNamespace(), SimpleNamespace())  # type: ignore[arg-type]


def test_the_button_makes_both_files_of_the_study_that_is_shown(services: Services) -> None:
    steps = make(services, made_up().as_dict(), None)
    assert "interactive" in steps[0][0] and not steps[0][0]["interactive"] and any("ps-bar" in str(step[1]) for step in steps)
    button, said, files = steps[-1]
    assert button["interactive"] and "ready" in said and files["visible"]
    page, value = (Path(file) for file in files["value"])
    assert page.name == "audit.html" and "Plotly.newPlot" in page.read_text(encoding="utf-8")
    assert read_json(value)["kind"] == "audit" and len(read_json(value)["versions"]["study"]) == 64


def test_a_public_studio_looks_at_no_run_on_its_disk(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(section.audit, "whole", lambda study, paths: asked.append(paths) or of_everything())
    make(services, None, made_up())
    services.access = Access(public=True)
    make(services, None, made_up())
    assert asked == [services.paths, None]


def test_what_goes_wrong_is_a_sentence_and_gives_the_button_back(services: Services) -> None:
    damaged = made_up().as_dict()
    damaged["collateral"] = {}
    for state in (damaged, {"columns": 3}, None):
        button, said, files = make(services, state, None)[-1]
        assert button["interactive"] and "ps-error" in said and not files["visible"]
