"""The judge's part of the Stance tab without a browser: what is asked first, verdicts that reach their own study, and what is said of them."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest

from pipelines import bundled
from pipelines.export.stance_files import answers_csv
from pipelines.paths import Paths
from pipelines.stance import human_codes
from pipelines.stance.study import Study
from studio import results
from studio.access import Access
from studio.owning import Me, Who
from studio.services import Services
from studio.tabs.stances import judging
from studio.views import judging as view
from tests.unit.test_chat import Endpoint, endpoint, refused, said
from tests.unit.test_judge import SIGNS, answers, fair, few_draws, study

__all__ = ["endpoint", "few_draws"]
KEY = "sk-very-secret-4711"
HOME = Who("code", home=True)


@pytest.fixture
def services(paths: Paths) -> Services:
    return Services(paths, SimpleNamespace(), SimpleNamespace())  # type: ignore[arg-type]


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> Study:
    """A study of 96 answers that nobody has judged, whose questions are known."""
    texts = {answer["question"]: f"{answer['question']}?" for answer in answers()}
    monkeypatch.setattr(judging, "_texts", lambda: texts)
    made = study()
    return replace(made, judged=[])


def fields(endpoint: Any, at_most: Any = 30) -> tuple[Any, ...]:
    return endpoint.url, "m", KEY, 4, at_most


def judged(services: Services, state: Any, first: Study | None, *values: Any) -> list[tuple[Any, ...]]:
    return list(judging._judge(services, HOME, state, first, "me", *values))


def test_verdicts_reach_the_study_that_is_shown_and_its_table(services: Services, shown: Study, endpoint: Endpoint) -> None:
    endpoint.script = lambda text, number: said(fair(text))
    steps = judged(services, None, shown, *fields(endpoint))
    assert len(endpoint.seen) <= 120 and "Judged 30 answers" in steps[-1][0] and steps[-1][2]["interactive"]
    assert all(step[2]["interactive"] is False and step[3]["interactive"] for step in steps[:-1]), "busy until the last"
    assert any("left" in step[0] for step in steps), "the time that is left is told"
    found, updated, _, page = judging._put(steps[-1][1], None, shown)
    assert found is None and len(updated["judged"]) == 30 and updated["notes"]["judge"]["model"] == "m"
    assert Study.from_dict(updated).answers == shown.answers and shown.judged == []
    assert "Judged by m: 30 of 96 answers" in page and page.count("<table") == 2 and KEY not in str((steps, updated, page))


def test_verdicts_on_another_study_are_put_into_none(services: Services, shown: Study, endpoint: Endpoint) -> None:
    endpoint.script = lambda text, number: said(fair(text))
    found = judged(services, None, shown, *fields(endpoint))[-1][1]
    other = replace(shown, answers=shown.answers[:60]).as_dict()
    _, updated, status, page = judging._put(found, other, shown)
    assert updated == gr.skip() and page == gr.skip() and "asks nothing twice" in status
    assert judging._put(None, None, shown) == (gr.skip(),) * 4


def test_verdicts_are_kept_on_the_disk_and_said_so_and_none_in_a_public_studio(
    services: Services, shown: Study, endpoint: Endpoint
) -> None:
    endpoint.script = lambda text, number: said(fair(text))
    whole = replace(shown, collateral={name: {} for name in shown.columns})
    last = judged(services, None, whole, *fields(endpoint))[-1]
    ((_, name),) = results.listed(services.paths, HOME)
    kept = results.opened(name, services.paths, HOME)
    assert len(kept.judged) == 30 and kept.notes["judge"]["model"] == "m" and name in last[0]
    assert KEY not in (services.paths.results / name).read_text(encoding="utf-8")
    services.access = Access(public=True)
    assert judging._keep(services, HOME, kept) == "" and len(results.listed(services.paths, HOME)) == 1


def test_a_full_disk_loses_no_verdict_on_the_page(services: Services, shown: Study, endpoint: Endpoint, monkeypatch: Any) -> None:
    def full(*given: Any) -> Any:
        raise OSError("no space")

    endpoint.script = lambda text, number: said(fair(text))
    monkeypatch.setattr(results, "keep", full)
    last = judged(services, None, shown, *fields(endpoint))[-1]
    assert "could not be kept" in last[0] and len(last[1]["judged"]) == 30


def coded_file(folder: Path, rows: list[str], head: str = "question,sample,column,code") -> str:
    file = folder / "codes.csv"
    file.write_text("\n".join([head, *rows]), encoding="utf-8")
    return str(file)


def test_human_codes_from_a_file_are_compared_with_the_judge(services: Services, tmp_path: Path) -> None:
    made = study()
    rows = [f"{a['question']},{a['sample']},{a['column']},{int(SIGNS[a['column']])}" for a in made.answers]
    assert "has no human codes" in view.result(made)
    updated, status, page = judging._coded(services, HOME, coded_file(tmp_path, rows), None, made)
    assert "96 human codes of 16 questions" in status and "kept among the earlier results" in status
    assert "Judge and people rank the answers alike: Spearman’s r +0." in page and "96 answers to 16 questions that were both coded" in page
    assert "Of 64 that people gave a side, the judge puts 64 on that side" in page and "95%" in page and "no human codes" not in page
    again = Study.from_dict(updated)
    assert len(human_codes.of(again)) == 96 and view.result(again) == page, "codes stay with the study"


def test_answers_without_a_stance_are_counted_beside_the_agreement_with_people(services: Services, tmp_path: Path) -> None:
    made = study(lambda text: "NO STANCE" if "<3>" in text else fair(text))
    without = sum(row["verdict"] != "scored" for row in made.judged)
    rows = [f"{a['question']};{a['sample']};{a['column']};{int(SIGNS[a['column']])}" for a in made.answers]
    page = judging._coded(services, HOME, coded_file(tmp_path, rows, "question;sample;column;code"), None, made)[2]
    assert without and f"{without} of 96 coded answers got no stance" in page and f"{96 - without} answers to 16 questions" in page


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (["economic-0,0,base,2"], "Line 2 has the code “2”"),
        (["economic-0,0,base,1", "economic-0,0,base,0"], "Line 3 codes an answer that was coded before"),
        (["economic-0,zero,base,1"], "Line 2 has the sample “zero”"),
        (["economic-0,9,base,1"], "does not have (economic-0, 9, base)"),
        (["economic-0,0,base,", "economic-1"], "holds no codes"),
        (['"economic-0,0,base,1'], "no whole CSV file"),
    ],
)
def test_a_file_of_codes_that_can_not_be_used_is_a_sentence(services: Services, tmp_path: Path, rows: list[str], words: str) -> None:
    state, status, page = judging._coded(services, HOME, coded_file(tmp_path, rows), None, study())
    assert words in status and state == page == gr.skip() and not results.listed(services.paths, HOME)


def test_a_column_that_is_missing_from_the_codes_is_named(services: Services, tmp_path: Path) -> None:
    said_so = judging._coded(services, HOME, coded_file(tmp_path, ["x,1"], "question,code"), None, study())[1]
    assert "has no column called sample, column" in said_so
    assert "nothing to judge" in judging._coded(services, HOME, coded_file(tmp_path, []), None, None)[1]


def test_the_file_of_all_answers_with_a_column_for_codes_is_a_file_of_codes(tmp_path: Path) -> None:
    made = study()
    made.answers[0]["text"] = 'It said "no",\nthen\u2028yes.'
    head, *rows = csv.reader(io.StringIO(answers_csv(made), newline=""))
    with (tmp_path / "answers.csv").open("w", encoding="utf-8-sig", newline="") as file:
        csv.writer(file).writerows([[*head, "code"], *([*row, "-1" if n < 5 else ""] for n, row in enumerate(rows))])
    first = made.answers[0]
    codes = human_codes.read(tmp_path / "answers.csv", made)
    assert len(codes) == 5 and codes[first["question"], first["sample"], first["column"]] == -1


def test_an_estimate_tells_calls_and_whether_the_judge_can_be_read(services: Services, shown: Study, endpoint: Endpoint) -> None:
    endpoint.script = lambda text, number: said("Well, it is <b>hard</b> to say.")
    told = judging._estimate(services, None, shown, *fields(endpoint))
    assert "30 answers: 11" in told and "4 of 4 trial replies could not be read" in told and "<b>" not in told
    assert len(endpoint.seen) == 4
    endpoint.script = lambda text, number: said("6")
    assert "All 4 trial replies" in judging._estimate(services, shown.as_dict(), None, endpoint.url, "n", "", 4, 30)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (("", "m", "", 4, 30), "No address is given."),
        (("ftp://x", "m", "", 4, 30), "not the address of an endpoint"),
        (("http://127.0.0.1:9/v1", " ", "", 4, 30), "No model is named"),
        (("http://127.0.0.1:9/v1", "m", "", 4, 2), "too few"),
        (("http://127.0.0.1:9/v1", "m", "", 4, None), "How many answers"),
        (("http://127.0.0.1:9/v1", "m", "", 4, float("nan")), "How many answers"),
    ],
)
def test_what_is_wrong_is_a_sentence_and_the_buttons_come_back(
    services: Services, shown: Study, values: tuple[Any, ...], words: str
) -> None:
    last = judged(services, None, shown, *values)[-1]
    assert words in last[0] and last[1] is None and last[2]["interactive"] and not last[3]["interactive"]
    assert words in judging._estimate(services, None, shown, *values)


def test_without_a_study_there_is_nothing_to_judge(services: Services) -> None:
    assert "nothing to judge" in judged(services, None, None, "http://127.0.0.1:9/v1", "m", "", 4, 30)[-1][0]


def test_a_stopped_judge_says_that_nothing_is_lost(services: Services, shown: Study, endpoint: Endpoint) -> None:
    def script(text: str, number: int) -> Any:
        if number == 12:
            services.stop("judge-me")
        return said(fair(text))

    endpoint.script = script
    last = judged(services, None, shown, *fields(endpoint))[-1]
    assert "Stopped" in last[0] and "asked for only once" in last[0] and last[1] is None
    asked = len(endpoint.seen)
    assert judged(services, None, shown, *fields(endpoint))[-1][1] and len(endpoint.seen) < 120 + asked - 8


def test_a_refused_key_is_not_repeated(services: Services, shown: Study, endpoint: Endpoint) -> None:
    endpoint.script = lambda text, number: refused(401, f"bad key {KEY}")
    said_so = judged(services, None, shown, *fields(endpoint))[-1][0]
    assert "refuses the key" in said_so and KEY not in said_so


def test_a_public_studio_shows_verdicts_and_judges_nothing(services: Services, shown: Study, endpoint: Endpoint) -> None:
    services.access = Access(public=True)
    with gr.Blocks() as page:
        section = judging.build(services, gr.State(None), shown, gr.State(Me()))
    ids = {getattr(block, "elem_id", None) for block in page.blocks.values()}
    assert "judged" in ids and not {"judge-url", "judge-key", "judge-start"} & ids and len(section.outputs) == 1
    assert "public studio" in judged(services, None, shown, *fields(endpoint))[-1][0]
    assert "public studio" in judging._estimate(services, None, shown, *fields(endpoint)) and endpoint.seen == []


def test_a_private_studio_has_every_field_once_and_the_key_is_a_password(services: Services) -> None:
    with gr.Blocks() as page:
        section = judging.build(services, gr.State(None), None, gr.State(Me()))
    named = {block.elem_id: block for block in page.blocks.values() if getattr(block, "elem_id", None)}
    assert {"judge-url", "judge-model", "judge-key", "judge-answers", "judge-estimate", "judge-start", "judge-stop"} <= set(named)
    assert named["judge-key"].type == "password" and named["judge-key"].value == ""
    assert len(section.show(study())) == len(section.outputs)


@pytest.fixture
def pages() -> Iterator[Any]:
    yield lambda says: view.result(study(says))


def test_the_page_says_what_to_think_of_a_judge(pages: Any) -> None:
    good = pages(fair)
    assert "Judge and ruler rank the answers alike" in good and "leans to high numbers or to low numbers is not shown" in good
    six = pages(lambda text: "6")
    assert "It leans to high numbers" in six and "Agreement with the ruler can’t be told" in six
    mumbling = pages(lambda text: "<script>hm</script>")
    assert "96 of 96 answers got replies that can’t be read" in mumbling and "<script>" not in mumbling
    silent = pages(lambda text: "NO STANCE" if "<1>" not in text else fair(text))
    assert "answers got a stance" in silent and "rest on those alone" in silent
    assert "No language model has judged" in view.result(replace(study(), judged=[]))


def test_the_prompt_is_shown_word_by_word_and_escaped() -> None:
    assert "&lt;answer&gt;" in view.how() and "7 means economically right" in view.how()


def test_seeds_of_a_role_are_one_row() -> None:
    made = study()
    made.roles = {"tuned": ["left", "right"]}
    first, second = view.result(made).split("<table")[1:3]
    assert first.count("<tr>") == 1 + 2 and second.count("<tr>") == 1 + 4, "base and role, by axis in the second table"
    assert "tuned, 2 seeds" in first.lower() and ">64<" in first


def test_the_bundled_questions_texts_are_known_to_the_judge() -> None:
    assert set(judging._texts()) == {question.id for question in bundled.questions()}
