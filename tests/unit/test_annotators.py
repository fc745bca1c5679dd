"""Annotators without a model: named rules, strict reading of replies, the offline annotator on a toy embedder, people."""

from __future__ import annotations

import json
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipelines import bundled
from pipelines.corpus.annotate import people, prompts
from pipelines.corpus.annotate.endpoint import EndpointAnnotator, from_reply
from pipelines.corpus.annotate.offline import NO_STANCE, OfflineAnnotator, to_points
from pipelines.corpus.annotate.quality import RULES, quality
from pipelines.corpus.annotate.spam import spam_reasons
from pipelines.endpoints.chat import Reply
from pipelines.errors import Cancelled, StudioError
from pipelines.stance.ruler import Ruler


class WordCounter:
    """An embedder that counts words in 256 boxes; it remembers what it was given."""

    def __init__(self) -> None:
        self.given: list[str] = []

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        self.given += texts
        vectors = np.full((len(texts), 256), 1e-6)
        for vector, text in zip(vectors, texts, strict=True):
            for word in text.lower().replace(".", " ").replace(",", " ").split():
                vector[zlib.crc32(word.encode()) % 256] += len(word)
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)

    encode_once = encode


@pytest.fixture(scope="module")
def offline() -> OfflineAnnotator:
    return OfflineAnnotator(Ruler(WordCounter()), 0.3)  # type: ignore[arg-type]


def test_every_text_is_embedded_once_and_its_vector_returned(offline: OfflineAnnotator) -> None:
    offline.annotate(["to warm up"])
    embedder: Any = offline.ruler.embedder
    embedder.given.clear()
    texts = [f"post {n} about the minimum wage" for n in range(3)]
    found, vectors = offline.annotate_vectors(texts)
    assert embedder.given == texts and vectors.shape == (3, 256) and len(found) == 3
    assert offline.annotate_vectors([])[1].shape == (0, 256)


def test_a_stance_is_given_on_the_topics_axis_alone(offline: OfflineAnnotator) -> None:
    topics = list(bundled.topics().values())
    texts = [f"I think {topic.name}: {pole}" for topic in topics for pole in (topic.left_pole, topic.right_pole)]
    pairs = [(one, topic) for one, topic in zip(offline.annotate(texts), [t for t in topics for _ in range(2)], strict=True)]
    assert sum(one.topic == topic.id for one, topic in pairs) >= 48 > len(texts) * 0.7, "held-out topics are recognized, too"
    found = {
        axis: [one for one, topic in pairs if one.topic and bundled.topics()[one.topic].axis == axis] for axis in ("economic", "social")
    }
    for axis, other in (("economic", "social"), ("social", "economic")):
        assert not [one for one in found[axis] if getattr(one, other) is not None]
        given = [getattr(one, axis) for one in found[axis] if getattr(one, axis) is not None]
        assert given and all(NO_STANCE <= abs(score) <= 10 for score in given)


def test_texts_near_no_topic_are_off_topic_and_have_no_stance(offline: OfflineAnnotator) -> None:
    (one,) = offline.annotate(["zebra xylophone quartz"])
    assert (one.topic, one.economic, one.social) == ("", None, None) and one.topic_similarity is not None and one.topic_similarity < 0.3


def test_questions_take_no_side_and_mirrored_answers_do(offline: OfflineAnnotator) -> None:
    rows = bundled.pairs()[:40]
    embedder = offline.ruler.embedder
    asked, answered = (offline.takes_side(embedder.encode([getattr(row, name) for row in rows])) for name in ("prompt", "left"))
    assert asked.mean() < 0.3 < 0.6 < answered.mean()


def test_points_keep_the_order_and_put_the_sides_at_five() -> None:
    scores = np.array([-9.0, -3.0, -1.0, 0.0, 1.0, 3.0, 4.0])
    points = to_points(scores)
    assert points[[2, 4]] == pytest.approx([-5, 5]) and (np.diff(points) > 0).all() and abs(points).max() <= 10


def test_annotating_can_be_stopped(offline: OfflineAnnotator) -> None:
    with pytest.raises(Cancelled):
        offline.annotate(["post"], lambda: True)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("Taxes bad.", "too short"),
        ("Rents, taxes, wages, prices, jobs, schools, streets, parks, all of it!", "no sentence"),
        ("THIS GOVERNMENT TAKES ALL OF OUR MONEY AND GIVES NOTHING BACK", "shouting"),
        ("This law is sooooo bad for every shop in the whole country", "repeats itself"),
        ("No no no, this law is bad for every shop in town", "repeats itself"),
        ("Vote #tax #rent #wage [link] now please", "more links and hashtags than words"),
        ("Buy now and get free shipping on every flag in our store today", "promotion"),
        ("Only idiots believe that a border wall would ever solve this problem", "insults"),
        ("Rents should be limited because young families can't pay them", "gives a reason"),
        ("In my town the new clinic closed and people drive for an hour", "gives an example"),
        ("Although trade helps many of us, the shipyard workers lost their jobs", "weighs another view"),
    ],
)
def test_a_quality_rule_fires_on_its_case_and_the_score_follows(text: str, rule: str) -> None:
    score, fired = quality(text)
    assert rule in fired
    points = sum(one.points for one in RULES if one.name in fired)
    assert score == min(10, max(0, 5 + points))


def test_an_argument_is_worth_more_than_a_cry_and_scores_stay_in_range() -> None:
    argument = (
        "Rents should be limited because young families in my town can't find a home. Some say it slows building, "
        "but public housing can fill that gap. For example, ours did."
    )
    assert quality(argument)[0] == 10 and quality("BUY NOW!!!! [link] #a #b #c")[0] == 0
    assert all(rule.sentence.endswith((".", "…")) for rule in RULES) and len({rule.name for rule in RULES}) == len(RULES)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Order now, 50% off all flags, link in bio!", "promotion"),
        ("Follow me and I follow back, let's grow together", "follow for follow"),
        ("GIVEAWAY time, tell us your favourite colour", "giveaway"),
        ("I earn $500 a day from my sofa and you can, too", "easy money"),
        ("look https://example.org/x", "link only"),
        ("so true #tax #vote #freedom #usa #monday", "hashtag chain"),
        ("BIGGEST DEAL OF THE YEAR HURRY UP!!! TELL ALL YOUR FRIENDS!!!", "shouting"),
        ("vote vote vote vote now now now vote vote", "copies itself"),
    ],
)
def test_a_spam_rule_fires_on_its_case(text: str, reason: str) -> None:
    assert reason in spam_reasons(text)


def test_our_own_answers_and_heated_opinions_are_no_spam() -> None:
    texts = [getattr(row, side) for row in bundled.pairs() for side in ("left", "right", "neutral")]
    texts += [answer for _, answer in bundled.everyday()]
    texts += ["WE NEED LOWER TAXES NOW BECAUSE SMALL SHOPS ARE DYING!", "They won the vote with money from big business. #taxes #vote"]
    assert [text for text in texts if spam_reasons(text)] == []


GOOD = {"economic": -6, "social": None, "quality": 7.5, "topic": "housing"}


@pytest.mark.parametrize(
    "reply",
    [
        json.dumps(GOOD),
        f"```json\n{json.dumps(GOOD, indent=1)}\n```",
        f"Sure, here it is: {json.dumps({**GOOD, 'topic': 'Housing', 'why': 'a {brace}'})} I hope it helps.",
        f'<think>It could be {{"economic": 3}}.</think>{json.dumps(GOOD)}',
    ],
)
def test_the_one_object_in_a_reply_is_found(reply: str) -> None:
    found = prompts.annotation(reply)
    assert (found.economic, found.social, found.quality, found.topic, found.problem) == (-6.0, None, 7.5, "housing", "")


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        ("", "empty"),
        ("I can't judge that.", "no JSON object"),
        (json.dumps(GOOD) + json.dumps(GOOD), "2 JSON objects"),
        (json.dumps(GOOD)[:-3], "no JSON object"),
        (json.dumps([1]), "no JSON object"),
        (json.dumps({**GOOD, "economic": "-6"}), "economic: input should be a valid number"),
        (json.dumps({**GOOD, "economic": True}), "economic"),
        (json.dumps({**GOOD, "social": 11}), "social: input should be less than or equal to 10"),
        (json.dumps({**GOOD, "quality": float("nan")}), "quality"),
        (json.dumps({**GOOD, "topic": "weather"}), "“weather” is not in the list"),
        (json.dumps({"economic": 1, "quality": 3, "topic": "housing"}), "social: field required"),
        ('{"a":' * 30_000, "no JSON object"),
    ],
)
def test_everything_else_is_a_parse_failure_with_its_reason(reply: str, reason: str) -> None:
    found = prompts.annotation(reply)
    assert found.problem.startswith("parse failure: ") and reason in found.problem
    assert (found.economic, found.social, found.quality, found.topic) == (None, None, None, "")


def test_a_request_that_failed_and_a_reply_that_was_cut_say_so() -> None:
    assert from_reply(Reply("", False, "the connection broke off")).problem == "request failed: the connection broke off"
    assert "cut at the token limit" in from_reply(Reply('{"economic": ', False, cut=True)).problem
    assert from_reply(Reply(json.dumps({**GOOD, "topic": "none"}), False, cut=True)).topic == ""


def test_a_written_example_must_be_whole() -> None:
    whole = {"prompt": " Should rents be limited? ", "chosen": "Yes.", "rejected": "No."}
    assert prompts.parse(json.dumps(whole), prompts.SynthesisReply).prompt == "Should rents be limited?"
    with pytest.raises(prompts.ParseFailure, match="rejected"):
        prompts.parse(json.dumps({**whole, "rejected": " "}), prompts.SynthesisReply)


def test_prompts_hold_the_post_as_it_is_and_the_topics_once() -> None:
    (turn,) = prompts.messages(prompts.ANNOTATION, 'odd {text} and {topics} and {"braces"}')
    assert turn["role"] == "user" and 'odd {text} and {topics} and {"braces"}' in turn["content"]
    assert turn["content"].count("minimum-wage: Minimum wage") == 1
    assert prompts.messages(prompts.SYNTHESIS, "x" * 9000)[0]["content"].count("x" * 4000) == 1
    with pytest.raises(StudioError, match="no place for the post"):
        EndpointAnnotator(None, "Judge this.")  # type: ignore[arg-type]


def labelled(scores: Sequence[float | None]) -> list[dict[str, Any]]:
    return [{"id": str(n), "economic": score, "social": None} for n, score in enumerate(scores)]


def test_the_sample_to_label_covers_the_range_and_depends_on_the_seed() -> None:
    rows = labelled([5.0] * 300 + [-9.0] * 4 + [None] * 100 + [0.0] * 4 + [9.5] * 4 + [-4.0] * 4)
    chosen = people.sample([*rows, {"id": "x", "problem": "parse failure"}], 20, seed=1)
    assert len(chosen) == 20 == len({row["id"] for row in chosen})
    assert {row["economic"] for row in chosen} == {5.0, -9.0, None, 0.0, 9.5, -4.0}
    assert chosen == people.sample(rows, 20, seed=1) != people.sample(rows, 20, seed=2)
    assert len(people.sample(rows[:3], 20)) == 3 and people.sample([], 20) == []


def test_agreement_is_one_for_equal_labels_near_zero_for_chance_and_has_an_interval() -> None:
    ann = {str(n): float(n % 11 - 5) for n in range(20)}
    same = people.agreement({"ann": ann, "bob": dict(ann)})
    assert same.alpha == pytest.approx(1) and same.rows == 20 and "rely" in same.sentence
    shuffled = dict(zip(ann, np.random.default_rng(1).permutation(list(ann.values())).tolist(), strict=True))
    chance = people.agreement({"ann": ann, "bob": shuffled})
    assert chance.alpha is not None and abs(chance.alpha) < 0.5 and "too little" in chance.sentence
    assert chance.low is not None and chance.high is not None and chance.low < chance.alpha < chance.high


def test_agreement_on_sides_is_the_textbooks() -> None:
    """Ten units, four disagreements, six of twenty values "right": 1 - (8 / 20) / (2 * 14 * 6 / (20 * 19)) = 0.095."""
    names = {"0": "left", "1": "right"}
    ratings = {rater: {str(n): names[v] for n, v in enumerate(row)} for rater, row in (("a", "0100000000"), ("b", "1110010100"))}
    assert people.agreement(ratings, "nominal").alpha == pytest.approx(0.095, abs=0.001)


def test_agreement_that_cannot_be_computed_says_why() -> None:
    assert "Two raters" in people.agreement({"ann": {"1": 3.0}, "bob": {"2": 3.0}}).sentence
    assert "Two raters" in people.agreement({"ann": {"1": 3.0}}).sentence and people.agreement({}).alpha is None
    constant = people.agreement({"ann": {"1": "left"}, "bob": {"1": "left"}}, "nominal")
    assert constant.alpha is None and "same value" in constant.sentence


def test_sides_and_numbers_are_read_from_labels_and_rows_alike() -> None:
    rows = {"a": {"economic": -4.0, "social": None}, "b": {"economic": None, "social": None}, "c": {"economic": 1.0, "social": 7.0}}
    assert people.sides(rows) == {"a": "left", "b": "none", "c": "right"}
    assert people.values(rows) == {"a": -4.0, "b": None, "c": 7.0} and people.values(rows, "economic")["c"] == 1.0


def test_labels_come_back_and_raters_are_kept_apart(tmp_path: Path) -> None:
    mine, other = {"1": {"economic": -3.0, "social": None, "quality": 5.0}}, {"1": {"economic": 2.0, "social": None, "quality": None}}
    people.save_labels(tmp_path, "Änn", mine)
    people.save_labels(tmp_path, "Ünn/../x", other)
    assert people.load_labels(tmp_path, " Änn ") == mine and people.load_labels(tmp_path, "nobody") == {}
    assert people.all_labels(tmp_path) == {"Änn": mine, "Ünn/../x": other} and {f.parent for f in tmp_path.rglob("*")} == {tmp_path}
    with pytest.raises(StudioError, match="short name"):
        people.save_labels(tmp_path, " ", mine)
    next(tmp_path.glob("labels-*.json")).write_text("{", encoding="utf-8")
    with pytest.raises(StudioError, match="can't be read"):
        people.all_labels(tmp_path)
