"""Pairs that a language model writes, each gate for its own cause; what an endpoint is asked again; and mending by lights."""

import json
from collections.abc import Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from pipelines import bundled
from pipelines.corpus import drafts
from pipelines.corpus.checks import lights
from pipelines.corpus.drafts import Draft
from pipelines.corpus.engine import Tools
from pipelines.corpus.shards import Row
from pipelines.corpus.steps import registry
from pipelines.corpus.steps.writing import Synthesize, copied_share
from pipelines.endpoints.replies import Reply
from pipelines.errors import Cancelled, StudioError
from pipelines.paths import Paths
from tests.unit.test_drafts import opened

POST = {
    "id": "p1",
    "topic": "trade",
    "text": "Tariffs protect the jobs of our towns, and I would rather pay more for a shirt than see another mill close.",
    "economic": -6.0,
    "social": None,
}
GOOD = {
    "prompt": "Should goods from abroad be taxed?",
    "chosen": "Tariffs are worth their price, since they keep work in places that have nothing else to live on.",
    "rejected": "Tariffs cost more than they save, since everyone pays a higher price so that few can keep their work.",
}


class Toy:
    """An embedder in which "tariffs" is on the post's topic, and a ruler that reads the side from a word."""

    @property
    def embedder(self) -> Any:
        return SimpleNamespace(encode=lambda texts: np.array([[1.0, 0.0] if "tariffs" in t.lower() else [0.0, 1.0] for t in texts]))

    def score(self, texts: Sequence[str], topics: Sequence[str]) -> list[dict[str, float]]:
        assert set(topics) == {"trade"}, "scored by fits that never saw the topic"
        places = [-0.5 if "worth" in text else 0.5 if "cost" in text else 0.0 for text in texts]
        return [{"economic": place, "social": -10 * place} for place in places]


class Model:
    """A chat client that replies what it is told to; it remembers what it was asked."""

    base_url = "http://127.0.0.1:1/v1"

    def __init__(self, *replies: Any, model: str = "large") -> None:
        self.replies, self.model, self.asked = replies, model, list[str]()

    def ask_many(self, conversations: Sequence[Any], progress: Any = None, cancelled: Any = lambda: False, **options: Any) -> list[Reply]:
        if cancelled():
            raise Cancelled
        self.asked += [messages[0]["content"] for messages in conversations]
        return [_reply(self.replies[n % len(self.replies)]) for n in range(len(conversations))]


def _reply(given: Any) -> Reply:
    return given if isinstance(given, Reply) else Reply(given if isinstance(given, str) else json.dumps(given), False)


def failing(problem: str) -> Reply:
    return Reply("", False, problem)


def written(paths: Paths, reply: Any, step: Synthesize | None = None, row: Row = POST) -> tuple[Row, str, str]:
    """The row, the reason and the detail of one post's outcome."""
    work = (step or Synthesize()).start(Tools(paths, ruler=Toy(), client=Model(reply)), None)  # type: ignore[arg-type]
    (one,) = work([row])
    return one.row, one.reason, one.detail


def test_a_good_pair_passes_every_gate_and_keeps_where_it_is_from(paths: Paths) -> None:
    row, reason, _ = written(paths, GOOD)
    assert reason == "" and row == {
        "id": "pair-p1",
        "topic": "trade",
        "made": "written by large",
        "chosen_from": "p1",
        "score": 6.0,
        **GOOD,
    }


FAULTS: dict[str, tuple[Any, str, str]] = {
    "refusal in rejected": ({**GOOD, "rejected": "I cannot provide content that argues against this."}, "refusal", ""),
    "refusal in chosen": ({**GOOD, "chosen": "As an AI, I have no opinion on tariffs or on any other matter."}, "refusal", ""),
    "longer chosen": ({**GOOD, "chosen": GOOD["chosen"] + " And so on." * 5}, "too unequal in length", "19 and 33 words"),
    "longer rejected": ({**GOOD, "chosen": "Tariffs are worth it."}, "too unequal in length", "4 and 19 words"),
    "copied": ({**GOOD, "chosen": f"{POST['text']} It is worth it."}, "copied from the post", "81% of its phrases"),
    "off topic": (
        {key: text.replace("Tariffs", "Cats") for key, text in GOOD.items()},
        "not on the post's topic",
        "similarity 0.00",
    ),
    "sides swapped": (
        {**GOOD, "chosen": GOOD["rejected"], "rejected": GOOD["chosen"]},
        "answers not opposite",
        "-1.00 apart on the ruler",
    ),
    "same side twice": ({**GOOD, "rejected": GOOD["chosen"]}, "answers not opposite", "+0.00 apart on the ruler"),
    "no JSON": ("I would rather talk about the weather.", "parse failure", "no JSON object in the reply"),
    "a key is missing": ({"prompt": "Why?", "chosen": "So."}, "parse failure", "rejected: field required"),
    "an empty answer": ({**GOOD, "rejected": "  "}, "parse failure", "rejected: string should have at least 1 character"),
    "two objects": (json.dumps(GOOD) * 2, "parse failure", "2 JSON objects in the reply, not one"),
    "no reply": (failing("the connection broke off"), "no reply", "the connection broke off"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_each_gate_closes_for_its_own_cause_and_names_it(paths: Paths, fault: str) -> None:
    reply, reason, detail = FAULTS[fault]
    row, *found = written(paths, reply)
    assert found == [reason, detail] and row is POST, "a dropped post stays as it was"


@pytest.mark.parametrize(
    ("fault", "open_gate"),
    [
        ("longer chosen", {"ratio": 10.0}),
        ("copied", {"copied": 1.0, "ratio": 10.0}),
        ("off topic", {"near": -1.0}),
        ("same side twice", {"apart": 0.0}),
    ],
)
def test_a_gate_that_is_set_wide_lets_its_fault_pass(paths: Paths, fault: str, open_gate: dict[str, float]) -> None:
    assert written(paths, FAULTS[fault][0], Synthesize(**open_gate))[1] == ""


def test_opposite_means_the_other_way_round_for_a_post_of_the_right(paths: Paths) -> None:
    right = {**POST, "economic": 6.0}
    assert written(paths, GOOD, row=right)[1] == "answers not opposite"
    assert written(paths, {**GOOD, "chosen": GOOD["rejected"], "rejected": GOOD["chosen"]}, row=right)[1] == ""


def test_posts_that_were_not_scored_are_written_from_without_asking_the_ruler(paths: Paths) -> None:
    row, reason, _ = written(paths, {**GOOD, "rejected": GOOD["chosen"]}, row={"id": "p1", "topic": "", "text": POST["text"]})
    assert (reason, row["topic"], row["score"]) == ("", "", None)


def test_what_counts_as_copied() -> None:
    assert copied_share("one two three four", "one two three four") == 0, "shorter than a phrase"
    assert copied_share("One, two: three FOUR five!", "zero one two three four five six") == 1
    assert copied_share("a b c d e f", "x a b c d e y") == 0.5 and copied_share("", "") == 0


def test_the_prompt_is_ours_or_the_persons_and_needs_a_place_for_the_post(paths: Paths) -> None:
    for prompt, start in (("", "From the post below"), ("  ", "From the post below"), ("Mine: {text}", f"Mine: {POST['text']}")):
        model = Model(GOOD)
        Synthesize(prompt).start(Tools(paths, ruler=Toy(), client=model), None)([POST])  # type: ignore[arg-type]
        assert model.asked[0].startswith(start) and model.asked[0].count(str(POST["text"])) == 1
    with pytest.raises(StudioError, match="no place for the post"):
        written(paths, GOOD, Synthesize("Write something."))
    with pytest.raises(StudioError, match="No endpoint is set"):
        Synthesize().start(Tools(paths, ruler=Toy()), None)  # type: ignore[arg-type]


def test_pairs_are_written_counted_and_undone_in_a_draft(paths: Paths) -> None:
    draft = opened(paths, [{"id": f"p{n}", "text": POST["text"]} for n in range(4)])
    model = Model(GOOD, "nonsense", failing("the endpoint did not reply in time"), GOOD)
    made = drafts.apply(draft, registry.make("synthesize"), Tools(paths, ruler=Toy(), client=model))
    assert (made.kind, [row["id"] for row in made.rows.rows()]) == ("pairs", ["pair-p0", "pair-p3"])
    assert made.steps[0].result.reasons == {"parse failure": 1, "no reply": 1} and drafts.undo(made).kind == "posts"
    with pytest.raises(StudioError, match=r"would drop every row \(4 no reply\)"):
        drafts.apply(draft, registry.make("synthesize"), Tools(paths, ruler=Toy(), client=Model(failing("gone"), model="other")))
    with pytest.raises(Cancelled):
        drafts.apply(draft, registry.make("synthesize"), Tools(paths, ruler=Toy(), client=model, cancelled=lambda: True))


def score_by(model: Model, draft: Draft, paths: Paths) -> tuple[Draft, set[tuple[Any, str, str]]]:
    """Scores by an endpoint: the draft, and the scores, annotators and problems that it holds."""
    scored = drafts.apply(draft, registry.make("annotate", {"annotator": "endpoint"}), Tools(paths, client=model))
    return scored, {(row["economic"], row["annotator"], row["problem"]) for row in scored.rows.rows()}


def scores(score: float) -> dict[str, Any]:
    return {"economic": score, "social": None, "quality": 5, "topic": "trade"}


def test_scores_are_those_of_the_language_model_that_is_asked_now(paths: Paths) -> None:
    draft = opened(paths)
    assert score_by(Model(scores(-5), model="small"), draft, paths)[1] == {(-5.0, "endpoint: small", "")}
    assert score_by(Model(scores(5), model="large"), draft, paths)[1] == {(5.0, "endpoint: large", "")}


def test_what_a_language_model_failed_to_answer_is_asked_again_after_undo(paths: Paths) -> None:
    """The client stores replies (see test_chat.py), so only what failed costs anything."""
    failed, found = score_by(Model(failing("the connection broke off")), opened(paths), paths)
    assert found == {(None, "endpoint: large", "request failed: the connection broke off")}
    assert score_by(Model(scores(-5)), drafts.undo(failed), paths)[1] == {(-5.0, "endpoint: large", "")}


@pytest.fixture
def confounded(paths: Paths) -> Draft:
    """Our rows with planted faults."""
    return opened(paths, bundled.json_lines(bundled.DATA / "confounded.jsonl"))


def planted(draft: Draft, fault: str) -> set[str]:
    left = {row["id"] for row in draft.rows.rows()}
    return {row["id"] for row in bundled.json_lines(bundled.DATA / "confounded.jsonl") if fault in row["planted"]} & left


def state(draft: Draft, key: str) -> str:
    return next(light.state for light in lights.check(list(draft.rows.rows()), "pairs") if light.key == key)


@pytest.mark.parametrize(("key", "fault"), [("refusals", "refusal"), ("duplicates", "near_duplicate")])
def test_a_mend_that_drops_rows_is_a_step_that_drops_the_planted_ones_and_can_be_undone(
    confounded: Draft, paths: Paths, key: str, fault: str
) -> None:
    meant = planted(confounded, fault)
    assert confounded.kind == "pairs" and meant and state(confounded, key) != "green"
    mended = drafts.apply(confounded, registry.make("mend", {"light": key}), Tools(paths))
    dropped = list(mended.dropped(0).rows())
    assert {row["id"] for row in dropped} == meant and state(mended, key) == "green" and planted(mended, fault) == set()
    assert mended.steps[0].result.dropped == len(meant) and all(row["reason"].startswith("mended: ") and row["detail"] for row in dropped)
    assert drafts.load(drafts.undo(mended).id, paths) == replace(confounded) and planted(confounded, fault) == meant


def test_a_mend_that_cleans_texts_counts_changed_rows_and_drops_none(confounded: Draft, paths: Paths) -> None:
    mended = drafts.apply(confounded, registry.make("mend", {"light": "leftovers"}), Tools(paths))
    before, after = ({row["id"]: row for row in one.rows.rows()} for one in (confounded, mended))
    changed = {name for name in before if after[name] != before[name]}
    assert changed == planted(confounded, "lead_in") and mended.steps[0].result.changed == len(changed)
    assert mended.steps[0].result.dropped == 0 and state(mended, "leftovers") == "green" != state(confounded, "leftovers")


def test_several_mends_after_each_other_never_undo_one_another(confounded: Draft, paths: Paths) -> None:
    draft = confounded
    for key in ("leftovers", "refusals", "duplicates", "leakage"):
        draft = drafts.apply(draft, registry.make("mend", {"light": key}), Tools(paths))
    assert [state(draft, step.settings["light"]) for step in draft.steps] == ["green"] * 4
    assert [step.result.before for step in draft.steps[1:]] == [step.result.after for step in draft.steps[:-1]]


def test_a_mend_that_no_check_proposes_is_a_sentence(confounded: Draft, paths: Paths) -> None:
    mended = drafts.apply(confounded, registry.make("mend", {"light": "refusals"}), Tools(paths))
    for draft, light in ((mended, "refusals"), (confounded, "size"), (confounded, "nothing")):
        with pytest.raises(StudioError, match=f"“{light}” proposes nothing"):
            drafts.apply(draft, registry.make("mend", {"light": light}), Tools(paths))
