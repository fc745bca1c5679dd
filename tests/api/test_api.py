"""The studio behind its API: a real server, a real client, no browser."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from gradio_client import Client

from pipelines.paths import Paths
from studio.app import build_studio
from studio.services import Services


@pytest.fixture(scope="module")
def client(model_home: Paths) -> Iterator[Client]:
    patch = pytest.MonkeyPatch()
    patch.setenv("STUDIO_HOME", str(model_home.root))
    studio = build_studio(Services.create())
    _, url, _ = studio.queue().launch(prevent_thread_lock=True, quiet=True, ssr_mode=False, server_name="127.0.0.1", server_port=None)
    yield Client(url, verbose=False)
    studio.close()
    patch.undo()


def ask(client: Client, question: str, columns: list[str]) -> list[tuple]:
    job = client.submit(question, columns, 1.0, 0.3, 1.0, 8, 1, True, "", api_name="/compare")
    job.result(timeout=240)
    return job.outputs()


def test_all_columns_grow_together_and_end_with_stamps_and_the_base_check(client: Client) -> None:
    steps = ask(client, "Should rents be limited?", ["base", "left"])
    page = str(steps[-1])
    assert len(steps) > 4 and page.count("<article") == 2
    assert "deliberately biased" in page and "Base check passed" in page and "token cap" in page


@pytest.mark.parametrize(
    "question,columns,words",
    [
        ("", ["base"], "no question"),
        ("Hi?", [], "No column"),
        ("x" * 5000, ["base"], "at most"),
        ("Hi?", ["base", "nobody*3"], "no column"),
    ],
)
def test_bad_requests_get_a_sentence(client: Client, question: str, columns: list[str], words: str) -> None:
    from gradio_client.exceptions import AppError

    try:
        page = str(ask(client, question, columns)[-1])
    except AppError as error:  # the interface's own limits answer first where there are any
        page = str(error)
    assert words in page or "exceed" in page.lower() or "max" in page.lower()
    assert "Traceback" not in page


def test_strengths_blends_and_a_system_prompt_reach_the_answers(client: Client) -> None:
    wanted = ["left*0.5+right*0.5", "left*-1", "base"]
    job = client.submit("Should rents be limited?", wanted, 1.0, 0.0, 1.0, 8, 1, False, "Answer like a pirate.", api_name="/compare")
    page = str(job.result(timeout=240))
    assert "Left × 0.5 + Right × 0.5" in page and "Left × -1" in page and "pirate" in page
    assert page.index("Base") < page.index("Left × 0.5"), "the base stands first"


def test_both_askings_are_answered_by_both_columns(client: Client) -> None:
    job = client.submit("ask-econ-01", "Why are rents fair?", "Why are rents unfair?", "left", 0.0, 1.0, 8, 1, True, api_name="/mirror")
    page = str(job.result(timeout=240))
    assert page.count("<article") == 4 and "Hedges per 100 words" in page


def test_two_visitors_at_once_each_get_their_own_answer(client: Client) -> None:
    jobs = [client.submit(f"What is {word}?", ["base"], 1.0, 0.0, 1.0, 8, 1, False, "", api_name="/compare") for word in ("bread", "steel")]
    pages = []
    for job in jobs:
        job.result(timeout=240)
        pages.append(str(job.outputs()[-1]))
    assert "What is bread?" in pages[0] and "steel" not in pages[0]
    assert "What is steel?" in pages[1] and "bread" not in pages[1]
