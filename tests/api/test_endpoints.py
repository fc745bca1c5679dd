"""The endpoints for programs: a real server, a real client; plain values out, sentences for what can't be done, the page's own limits."""

import time
from collections.abc import Iterator
from typing import Any

import gradio as gr
import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError

from pipelines.comparing import curated
from pipelines.paths import PROJECT, Paths
from pipelines.records import Answer
from studio import api
from studio.access import FEATURES
from studio.services import Services
from studio.telling import Studio

NAMES = {"/list_columns", "/compare_columns", "/tune_adapter", "/run_status", "/score_texts", "/measure_columns"}
LEFT = "Wealth should be shared, and workers protected by the state."
RIGHT = "Free markets and low taxes make a country strong."


def served(paths: Paths, **settings: str) -> Iterator[tuple[Client, Services]]:
    """The endpoints alone, without the page around them."""
    patch = pytest.MonkeyPatch()
    for name, value in {"STUDIO_HOME": str(paths.root), **settings}.items():
        patch.setenv(name, value)
    services = Services.create()
    with Studio() as page:
        gr.HTML("")
        api.build(services)
    _, url, _ = page.queue().launch(prevent_thread_lock=True, quiet=True, ssr_mode=False, server_name="127.0.0.1", server_port=None)
    yield Client(url, verbose=False), services
    page.close()
    patch.undo()


@pytest.fixture(scope="module")
def studio(model_home: Paths) -> Iterator[tuple[Client, Services]]:
    yield from served(model_home)


@pytest.fixture(scope="module")
def demo(model_home: Paths) -> Iterator[tuple[Client, Services]]:
    yield from served(model_home, STUDIO_PUBLIC="1", STUDIO_RATE="2")


def call(client: Client, name: str, **values: Any) -> Any:
    return client.predict(**values, api_name=f"/{name}")


def test_the_client_shows_every_endpoint_with_types_and_words(studio: tuple[Client, Services]) -> None:
    known = studio[0].view_api(return_format="dict", print_info=False)["named_endpoints"]
    page = (PROJECT / "docs" / "api.md").read_text(encoding="utf-8")
    assert set(known) == NAMES and all(f"| `{name}` |" in page for name in NAMES)
    for name, endpoint in known.items():
        assert len(endpoint["description"]) > 40 and endpoint["returns"], name
        for part in endpoint["parameters"]:
            assert part["python_type"]["type"] != "Any" and len(part["python_type"]["description"]) > 10, (name, part)
        assert endpoint["returns"][0]["python_type"]["type"] != "Any" and endpoint["returns"][0]["python_type"]["description"]
    asked = {part["parameter_name"]: part for part in known["/compare_columns"]["parameters"]}
    assert asked["columns"]["parameter_default"] == ["base", "left", "right", "placebo"] and not asked["question"]["parameter_has_default"]
    assert "request" not in asked and "text: str" in known["/compare_columns"]["returns"][0]["python_type"]["type"]


def test_columns_are_listed_and_answer_with_stamps_that_belong_to_their_words(studio: tuple[Client, Services]) -> None:
    client, services = studio
    keys = [one["key"] for one in call(client, "list_columns")]
    assert keys[:4] == ["base", "left", "right", "placebo"]
    answers = call(client, "compare_columns", question="Should rents be limited?", columns=["left*0.5", "base"], max_tokens=6, seed=3)
    read = [Answer.from_dict(one) for one in answers]  # raises where a seal is not that of words and stamp
    assert [one.column for one in read] == ["base", "left × 0.5"]
    assert all(0 < one.tokens <= 6 and one.stamp.seed == 3 and one.stamp.max_new_tokens == 6 for one in read)
    assert read[1].stamp.strength == 0.5 and services.host.last_test is not None and services.host.last_test.passed
    again = call(client, "compare_columns", question="Should rents be limited?", columns=["left*0.5", "base"], max_tokens=6, seed=3)
    assert again == answers


@pytest.mark.parametrize(
    "name,values,words",
    [
        ("compare_columns", {"question": ""}, "There is no question"),
        ("compare_columns", {"question": 7}, "Give a text"),
        ("compare_columns", {"question": "Why?", "columns": "base"}, "Give a list of texts"),
        ("compare_columns", {"question": "Why?", "columns": ["nobody"]}, "There is no column “nobody”"),
        ("compare_columns", {"question": "Why?", "strength": 40}, "The bias dial"),
        ("compare_columns", {"question": "Why?", "max_tokens": 10**6}, "Longest answer"),
        ("tune_adapter", {"side": "up"}, "no side called “up”"),
        ("tune_adapter", {"data": "nothing"}, "no data set version"),
        ("tune_adapter", {"settings": {"speed": 9}}, "no setting called speed"),
        ("tune_adapter", {"settings": [1]}, "Give them by name"),
        ("tune_adapter", {"steps": 1.5}, "whole number"),
        ("run_status", {"run": "nothing"}, "not here any more"),
        ("score_texts", {"texts": []}, "0 texts were given"),
        ("score_texts", {"texts": ["  "]}, "is empty"),
        ("measure_columns", {"columns": ["base", "nobody"]}, "There is no column “nobody”"),
        ("measure_columns", {"columns": ["base"]}, "at least one tuned column"),
        ("measure_columns", {"profile": "endless"}, "Others wait"),
    ],
)
def test_what_can_not_be_done_is_told_in_a_sentence(studio: tuple[Client, Services], name: str, values: dict, words: str) -> None:
    with pytest.raises(AppError) as refused:
        call(studio[0], name, **values)
    assert words in str(refused.value) and "Traceback" not in str(refused.value)


@pytest.mark.slow
def test_texts_are_placed_with_their_number_and_what_the_ruler_reads(studio: tuple[Client, Services]) -> None:
    placed = call(studio[0], "score_texts", texts=[LEFT, RIGHT, LEFT])
    left, right, again = (one["economic"] for one in placed["scores"])
    assert placed["n"] == 3 and left < right and left == pytest.approx(again, abs=1e-4)
    assert placed["mean"]["economic"] == pytest.approx((left + right + again) / 3) and placed["reads"] == api.TOPIC_AND_WORDING


def test_a_bundled_run_tells_where_it_stands(studio: tuple[Client, Services]) -> None:
    found = call(studio[0], "run_status", run="bundled:left")
    assert (found["state"], found["step"], found["steps"], found["side"]) == ("finished", 60, 60, "left")
    assert found["metrics"]["adapter_fingerprint"]


def test_a_demo_gives_recorded_answers_and_refuses_the_rest(demo: tuple[Client, Services]) -> None:
    client, services = demo
    first = curated.questions()[0].text
    assert len(call(client, "compare_columns", question=first)) == 4 and services.host.base is None, "recorded, and no model was loaded"
    for name, values, feature in (
        ("tune_adapter", {}, "tune"), ("run_status", {"run": "some"}, "tune"), ("score_texts", {"texts": [LEFT]}, "measure"),
        ("measure_columns", {}, "measure"), ("compare_columns", {"question": "Write me an essay."}, "questions"),
    ):  # fmt: skip
        with pytest.raises(AppError) as refused:
            call(client, name, **values)
        assert FEATURES[feature] in str(refused.value)
    assert call(client, "run_status", run="bundled:left")["state"] == "finished" and services.host.base is None


def test_live_answers_of_a_demo_are_counted(demo: tuple[Client, Services], monkeypatch: pytest.MonkeyPatch) -> None:
    client, services = demo
    monkeypatch.setattr(services.answers, "ask", lambda *_: iter(()))  # who is counted, not what is answered
    first = curated.questions()[0].text
    told = []
    for seed in (5, 6, 7):
        with pytest.raises(AppError) as refused:
            call(client, "compare_columns", question=first, seed=seed, max_tokens=4)
        told.append(str(refused.value))
    assert "nothing was asked" in told[0] and "nothing was asked" in told[1] and "2 answers in 10 minutes" in told[2]


@pytest.mark.slow
def test_a_run_is_started_followed_and_asked_and_columns_are_measured(studio: tuple[Client, Services]) -> None:
    client, _ = studio
    settings = {"ruler": False, "sample_tokens": 4, "guard": "off", "batch_size": 2, "top_layers": 1}
    run = call(client, "tune_adapter", side="right", steps=2, settings=settings)
    end = time.monotonic() + 240
    while (found := call(client, "run_status", run=run))["state"] not in ("finished", "failed") and time.monotonic() < end:
        time.sleep(1)
    assert (found["state"], found["step"], found["steps"], found["side"]) == ("finished", 2, 2, "right"), found
    answers = call(client, "compare_columns", question="Why?", columns=["base", f"run:{run}"], max_tokens=4)
    assert answers[1]["stamp"]["adapter_fingerprint"] == found["metrics"]["adapter_fingerprint"]
    figures = call(client, "measure_columns", columns=["base", f"run:{run}"])
    assert {row["instrument"] for row in figures["shifts"]} == {"ruler", "completion", "survey"} and figures["verdicts"] == []
    assert all(row["n"] > 0 and row["low"] <= row["mean"] <= row["high"] for row in figures["shifts"])
