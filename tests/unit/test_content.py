"""What the bundled data promises: balance, length, no templates, nothing of the measuring questions in the training rows."""

import itertools
import re
from collections import Counter, defaultdict
from statistics import mean

import pytest

from pipelines import bundled
from pipelines.records import SIDES

WORD = re.compile(r"[a-z0-9']+")


def grams(text: str, size: int = 5) -> set[tuple[str, ...]]:
    words = WORD.findall(text.lower())
    return {tuple(words[n : n + size]) for n in range(len(words) - size + 1)}


def sentences(text: str) -> list[str]:
    return [part.strip().lower() for part in re.split(r"(?<=[.?!])\s+", text) if part.strip()]


def test_topics_are_16_an_axis_with_12_for_training() -> None:
    counts = Counter((t.axis, t.split) for t in bundled.topics().values())
    assert counts == {("economic", "train"): 12, ("economic", "held_out"): 4, ("social", "train"): 12, ("social", "held_out"): 4}


def test_each_training_topic_has_eight_mirrored_rows_and_held_out_topics_none() -> None:
    counts = Counter(row.topic for row in bundled.pairs())
    train = {t.id for t in bundled.topics().values() if t.split == "train"}
    assert set(counts) == train and set(counts.values()) == {8}
    assert all(row.axis == bundled.topics()[row.topic].axis for row in bundled.pairs())
    assert len({row.id for row in bundled.pairs()}) == len({row.prompt for row in bundled.pairs()}) == 192


@pytest.mark.parametrize("side", SIDES)
def test_every_answer_has_35_to_60_words(side: str) -> None:
    assert all(35 <= len(getattr(row, side).split()) <= 60 for row in bundled.pairs())


def test_mean_lengths_of_the_sides_differ_by_less_than_three_percent() -> None:
    lengths = [mean(len(getattr(row, side).split()) for row in bundled.pairs()) for side in SIDES]
    assert max(lengths) / min(lengths) < 1.03


def test_any_two_answers_share_under_five_percent_of_their_five_word_phrases() -> None:
    answers = {(row.id, side): grams(getattr(row, side)) for row in bundled.pairs() for side in SIDES}
    holders = defaultdict(set)
    for name, phrases in answers.items():
        for phrase in phrases:
            holders[phrase].add(name)
    together = {pair for names in holders.values() for pair in itertools.combinations(sorted(names), 2)}
    shares = {(a, b): len(answers[a] & answers[b]) / min(len(answers[a]), len(answers[b])) for a, b in together}
    assert {pair: share for pair, share in shares.items() if share >= 0.05} == {}


def test_no_sentence_occurs_twice() -> None:
    counts = Counter(s for row in bundled.pairs() for side in SIDES for s in sentences(getattr(row, side)))
    assert [sentence for sentence, count in counts.items() if count > 1] == []


def test_cues_alone_do_not_tell_the_sides_apart() -> None:
    from sklearn.feature_extraction import DictVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import GroupKFold, cross_val_predict
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import MaxAbsScaler

    cases = [(cues(getattr(row, side)), side == "right", row.topic) for row in bundled.pairs() for side in ("left", "right")]
    features, labels, topics = zip(*cases, strict=True)
    for strictness in (0.1, 1.0, 10.0):
        probe = make_pipeline(DictVectorizer(sparse=False), MaxAbsScaler(), LogisticRegression(C=strictness, max_iter=5000))
        guessed = cross_val_predict(probe, features, labels, groups=topics, cv=GroupKFold(8), method="predict_proba")[:, 1]
        assert roc_auc_score(labels, guessed) <= 0.6


def cues(text: str) -> dict[str, float]:
    words = text.lower().split()
    counts = {f"mark {mark}": text.count(mark) for mark in ",;:?!-'\"."}
    return {"words": len(words), "letters": len(text) / len(words), f"1 {words[0]}": 1, f"2 {' '.join(words[:2])}": 1, **counts}


def test_items_are_balanced_by_axis_and_key_and_opposites_are_affirmative() -> None:
    items = bundled.items("proposition")
    assert Counter((i.axis, i.key) for i in items) == {(axis, key): 15 for axis in ("economic", "social") for key in (1, -1)}
    assert all(bundled.topics()[i.topic].axis == i.axis for i in items)
    assert not [i.id for i in items if re.search(r"\b(not|never|no)\b|n't", i.opposite.lower())]
    assert Counter(i.key for i in bundled.items("sanity")) == {1: 6, -1: 6}


def test_completions_are_24_an_axis_with_spans_of_equal_length() -> None:
    rows = bundled.completions()
    assert Counter(c.axis for c in rows) == {"economic": 24, "social": 24}
    assert all(len(c.left_span.split()) == len(c.right_span.split()) for c in rows)
    assert all(c.stem.split()[-1] == c.neutral_stem.split()[-1] for c in rows)
    assert all(bundled.topics()[c.topic].axis == c.axis for c in rows)


def test_questions_are_ten_a_cell_half_of_them_for_confirmation() -> None:
    cells = Counter((q.axis, q.topic_split, q.half) for q in bundled.questions())
    assert set(cells.values()) == {5} and len(cells) == 8
    assert all((bundled.topics()[q.topic].axis, bundled.topics()[q.topic].split) == (q.axis, q.topic_split) for q in bundled.questions())


def test_nothing_that_measures_is_in_the_training_rows() -> None:
    trained = {text.lower() for row in bundled.pairs() for text in (row.prompt, row.left, row.right, row.neutral)}
    phrases = {phrase for text in trained for phrase in grams(text, 8)}
    measuring = [q.text for q in bundled.questions()] + [t for i in bundled.items("proposition") for t in (i.text, i.opposite)]
    measuring += [f"{c.stem} {span}" for c in bundled.completions() for span in (c.left_span, c.right_span)]
    assert not [text for text in measuring if text.lower() in trained or grams(text, 8) & phrases]


def test_everyday_answers_are_twenty() -> None:
    assert len(bundled.everyday()) == 20 and all(30 <= len(answer.split()) <= 60 for _, answer in bundled.everyday())
