"""The ruler on a toy encoder whose layers are known: what is left out, where zero lies, how sure the figures are, and the comparison."""

from __future__ import annotations

import json
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks import ruler as bench
from pipelines import bundled
from pipelines.errors import StudioError
from pipelines.paths import Paths
from pipelines.records import AXES
from pipelines.stance import ruler_compare
from pipelines.stance.embedding import LAYERS, Embedder
from pipelines.stance.ruler import Labelled, Ruler, unit_layers
from pipelines.stance.ruler_texts import pole_texts, training_texts
from pipelines.stance.ruler_validity import Flips, Unseen, Validity, area, measured, neutral_place, share

TOPICS = [f"topic-{n}" for n in range(6)]
SIGNS = {"left": -1.0, "right": 1.0, "neutral": 0.0}


class Toy:
    """An encoder of two layers: the first knows a text's topic alone, the second also its side, both with noise."""

    def __init__(self) -> None:
        self.read: list[str] = []

    def layers(self, texts: Sequence[str]) -> np.ndarray:
        self.read += texts
        found = np.zeros((len(texts), 2, 12))
        for vectors, text in zip(found, texts, strict=True):
            side, topic, _ = text.split()
            vectors[:, TOPICS.index(topic)] = 1.0
            vectors[1, 8] = SIGNS[side]
            vectors += np.random.default_rng(zlib.crc32(text.encode())).normal(0, 0.05, vectors.shape)
        return found

    layers_once = layers

    def encode_once(self, texts: Sequence[str]) -> np.ndarray:
        return self.layers(texts)[:, -1]


def made_up() -> list[Labelled]:
    return [Labelled(f"{side} {topic} {n}", topic, axis, side) for axis in AXES for topic in TOPICS for n in range(3) for side in SIGNS]


def toy_ruler(texts: list[Labelled] | None = None, poles: Sequence[Labelled] = ()) -> Ruler:
    return Ruler(Toy(), texts or made_up(), poles)  # type: ignore[arg-type]


def test_sides_of_unseen_topics_lie_at_minus_one_and_one_and_neutral_texts_between() -> None:
    scores = toy_ruler().score([f"{side} {topic} new" for side in SIGNS for topic in TOPICS], TOPICS * 3)
    means = [np.mean([score["economic"] for score in scores[start : start + 6]]) for start in (0, 6, 12)]
    assert means == pytest.approx([-1, 1, 0], abs=0.15)


def test_a_topic_is_scored_by_a_fit_that_neither_saw_its_answers_nor_the_poles_near_it() -> None:
    poles = [Labelled("right topic-1 pole", "topic-0", "economic", "right"), Labelled("left topic-2 pole", "", "economic", "left")]
    ruler = toy_ruler(poles=poles)
    wrong = toy_ruler([t if t.topic != "topic-0" else Labelled(t.text, t.topic, t.axis, "neutral") for t in made_up()], poles[1:])
    asked = ruler.embedder.layers(["left topic-0 new", "right topic-3 new"])
    assert ruler._fit("economic", "topic-0")(asked) == pytest.approx(wrong._fit("economic", "topic-0")(asked))
    assert ruler._fit("economic", "")(asked) != pytest.approx(wrong._fit("economic", "")(asked))


def test_poles_near_no_topic_are_in_every_fit() -> None:
    pole = Labelled("left topic-2 pole", "", "economic", "left")
    with_pole, without = toy_ruler(poles=[pole]), toy_ruler()
    asked = without.embedder.layers(["left topic-0 new"])
    for topic in ("", "topic-0"):
        assert with_pole._fit("economic", topic)(asked) != pytest.approx(without._fit("economic", topic)(asked), abs=1e-9)


def test_layers_weigh_the_same_whatever_their_length() -> None:
    layers = np.random.default_rng(1).normal(size=(5, 3, 4))
    longer = layers * np.array([1.0, 50.0, 0.01])[None, :, None]
    made, again = (unit_layers(one, one.mean(axis=0)) for one in (layers, longer))
    assert made.shape == (5, 12) and made == pytest.approx(again) and np.linalg.norm(made, axis=1) == pytest.approx(np.ones(5))


def test_no_texts_have_no_scores() -> None:
    assert toy_ruler().score([]) == []


def test_pole_statements_come_in_pairs_of_like_length_and_repeat_none_of_the_other_texts() -> None:
    poles = pole_texts()
    ours = {text.text for text in training_texts()} | {i.text for i in bundled.items("proposition")}
    assert len(poles) == 240 and len({pole.text for pole in poles}) == 240 and not ours & {pole.text for pole in poles}
    assert {axis: sum(pole.axis == axis for pole in poles) for axis in AXES} == {"economic": 120, "social": 120}
    for left, right in zip(poles[::2], poles[1::2], strict=True):
        assert (left.side, right.side, left.axis, left.topic) == ("left", "right", right.axis, right.topic)
        assert 0.7 <= len(left.text.split()) / len(right.text.split()) <= 1.4, left.text
    lengths = [sum(len(pole.text) for pole in poles if pole.side == side) for side in ("left", "right")]
    assert lengths[0] == pytest.approx(lengths[1], rel=0.05), "one side's style must not be told by its length"


def test_a_pole_stands_near_a_topic_of_its_own_axis_or_near_none() -> None:
    axes = {topic.id: topic.axis for topic in bundled.topics().values()}
    assert all(not pole.topic or axes[pole.topic] == pole.axis for pole in pole_texts())


def test_the_area_is_the_chance_that_right_beats_left_with_ties_half() -> None:
    made = area(np.array([0.0, 1.0]), np.array([1.0, 2.0]), ["a", "b"], ["a", "b"])
    assert made.value == pytest.approx((1 + 1 + 0.5 + 1) / 4) and made.low <= made.value <= made.high and made.n == 2


def test_the_area_agrees_with_the_librarys() -> None:
    from sklearn.metrics import roc_auc_score

    random = np.random.default_rng(2)
    left, right = random.normal(0, 1, 40), random.normal(0.7, 1, 40)
    groups = [str(n % 8) for n in range(40)]
    labels: np.ndarray = np.repeat([0, 1], 40)
    assert area(left, right, groups, groups).value == pytest.approx(roc_auc_score(labels, np.concatenate([left, right])))


def test_texts_that_move_together_make_the_interval_wider() -> None:
    random = np.random.default_rng(3)
    common: np.ndarray = np.repeat(random.normal(0, 1, 10), 10)
    left, right = common + random.normal(0, 0.1, 100), common + 0.5 + random.normal(0, 0.1, 100)
    topics, alone = [str(n // 10) for n in range(100)], [str(n) for n in range(100)]
    wide, narrow = area(left, right, topics, topics), area(left, right, alone, alone)
    assert wide.value == narrow.value and wide.high - wide.low > 1.5 * (narrow.high - narrow.low)


def test_a_share_of_all_or_none_has_no_width() -> None:
    assert share(np.array([True, True]), ["a", "b"]).interval == (1, 1)


def test_neutral_texts_on_one_side_are_seen() -> None:
    topics = ["a", "b", "c"]
    one = Unseen(np.full(3, -2.0), np.full(3, 4.0), np.array([3.9, 4.0, 4.1]), topics, topics)
    place = neutral_place(one)
    assert place.value == pytest.approx(1.0) and 0.9 < place.low < place.high < 1.1
    assert neutral_place(Unseen(one.left, one.right, np.array([]), topics, [])).value == 0


def flips(plain: list[float], opposite: list[float], keys: list[int]) -> Flips:
    return Flips(np.array(plain), np.array(opposite), np.array(plain), np.array(keys), [str(n) for n in range(len(plain))])


def test_a_flip_to_the_wrong_side_is_a_flip_but_not_in_order() -> None:
    sides = Unseen(np.array([-1.0, -2.0]), np.array([1.0, 2.0]), np.zeros(2), ["a", "b"], ["a", "b"])
    found = measured(dict.fromkeys(AXES, sides), flips([1, -1, 1, -1], [-1, 1, -1, 1], [1, 1, 1, 1]))
    assert found.flip == 1 and found.ordered == 0.5 and found.negation == 0 and found.auc == {"economic": 1, "social": 1}
    assert found.measures_stance and found.auc_interval["social"] == (1, 1) and found.topics == {"economic": 2, "social": 2}
    assert json.loads(json.dumps(found.as_dict())) == found.as_dict() and found.as_dict()["measures_stance"] is True


def test_a_validity_that_was_recorded_before_the_intervals_still_reads() -> None:
    old: dict[str, Any] = {"auc": {"economic": 0.8, "social": 0.7}, "pairwise": {}, "neutral": {}, "flip": 0.7, "negation": 0.1}
    read = Validity(**old)
    assert not read.measures_stance and read.auc_interval == {} and read.flip_interval is None and read.ordered is None


def test_real_rows_are_taken_from_the_side_that_each_file_holds(tmp_path: Path) -> None:
    for side in ("left", "right"):
        (tmp_path / f"politune-{side}-sample.csv").write_text(f"prompt,chosen,rejected\nWhy?,{side} one,other one\n", encoding="utf-8")
    rows = bench.real_rows(tmp_path)
    assert [(row.file, row.left, row.right) for row in rows] == [("left", "left one", "other one"), ("right", "other one", "right one")]


def test_a_folder_without_the_real_rows_is_told_so(tmp_path: Path) -> None:
    with pytest.raises(StudioError, match="There is no politune-left-sample.csv"):
        bench.real_rows(tmp_path)
    (tmp_path / "politune-left-sample.csv").write_text("prompt,answer\nWhy?,one\n", encoding="utf-8")
    with pytest.raises(StudioError, match="has no answers"):
        bench.real_rows(tmp_path)


def test_real_rows_are_scored_on_the_mean_of_both_axes() -> None:
    rows = [bench.RealRow("left" if n < 3 else "right", f"left {topic} real", f"right {topic} real") for n, topic in enumerate(TOPICS)]
    found = bench.measure_real(toy_ruler(), rows)
    assert found["n"] == 6 and found["auc"][0] == 1 and found["pairwise"][0] == 1
    swapped = [bench.RealRow(row.file, row.right, row.left) for row in rows]
    assert bench.measure_real(toy_ruler(), swapped)["auc"][0] == 0


def test_the_goal_is_missed_where_neutral_answers_take_a_side() -> None:
    good = Validity({"economic": 0.9, "social": 0.9}, {}, {"economic": 0.1, "social": -0.1}, 0.2, 0.1)
    leaning = Validity(good.auc, {}, {"economic": 0.1, "social": -0.6}, 0.2, 0.1)
    assert bench.holds(good, None) and not bench.holds(leaning, None)
    assert not bench.holds(good, {"auc": [0.6], "pairwise": [0.9]}) and bench.holds(good, {"auc": [0.63], "pairwise": [0.66]})


@pytest.fixture(scope="module")
def second_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sentence-transformers model of three random layers and sixteen dimensions that knows the words of our own text."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Pooling, Transformer
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    folder = tmp_path_factory.mktemp("encoder")
    words = sorted({word for text in training_texts() for word in text.text.lower().replace(".", " ").replace(",", " ").split()})
    tokens = Tokenizer(models.WordLevel({word: n for n, word in enumerate(["[PAD]", "[UNK]", *words])}, unk_token="[UNK]"))
    tokens.normalizer, tokens.pre_tokenizer = normalizers.Lowercase(), pre_tokenizers.Whitespace()
    PreTrainedTokenizerFast(tokenizer_object=tokens, unk_token="[UNK]", pad_token="[PAD]").save_pretrained(folder / "plain")
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(words) + 2, hidden_size=16, num_hidden_layers=3, num_attention_heads=2, intermediate_size=16
    )  # fmt: skip
    BertModel(config).save_pretrained(folder / "plain")
    body = Transformer(str(folder / "plain"), max_seq_length=64)
    SentenceTransformer(modules=[body, Pooling(16)], device="cpu").save(str(folder / "whole"))
    return folder / "whole"


def test_another_model_is_refitted_and_measured(second_model: Path, paths: Paths) -> None:
    row = ruler_compare.compare([str(second_model)], paths)[0]
    assert row["name"] == str(second_model) and row["dimensions"] == 16 and row["seconds"] > 0
    for axis in AXES:
        low, high = row["auc_interval"][axis]
        assert low <= row["auc"][axis] <= high and 0 <= row["pairwise"][axis] <= 1 and np.isfinite(row["neutral"][axis])
    assert 0 <= row["flip"] <= 1 and 0 <= row["negation"] <= 1 and row["measures_stance"] is False
    assert not list(paths.models.glob("vectors-*")), "a comparison takes nothing from disk, so it leaves nothing there"


def test_layers_are_the_mean_token_vectors_whatever_the_batch(second_model: Path, paths: Paths) -> None:
    embedder = Embedder(paths, str(second_model))
    texts = ["Taxes should be low.", "The law should protect workers, and a family needs fair pay.", "Order."]
    found = embedder.layers(texts)
    assert found.shape == (3, 4, 16) and len(found[0]) <= LAYERS
    assert found[2] == pytest.approx(embedder.layers(texts[2:])[0], abs=1e-5)
    last = found[:, -1] / np.linalg.norm(found[:, -1], axis=1, keepdims=True)
    assert last == pytest.approx(embedder.encode(texts), abs=1e-5), "the last one is the sentence embedding of a mean-pooling model"


def test_layers_are_kept_on_disk_apart_from_sentence_embeddings(second_model: Path, paths: Paths) -> None:
    embedder = Embedder(paths, str(second_model))
    first, vectors = embedder.layers_once(["One text."]), embedder.encode_once(["One text."])
    assert len(list(paths.models.glob("vectors-*.npy"))) == 2 and vectors.shape == (1, 16)
    again = Embedder(paths, str(second_model))
    assert np.array_equal(again.layers_once(["One text."]), first) and again._model is None


def test_a_model_without_layers_gives_its_sentence_embedding(paths: Paths, second_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    embedder = Embedder(paths, str(second_model))

    class Flat(list):
        def encode(self, texts: Sequence[str], **options: Any) -> np.ndarray:
            return np.ones((len(texts), 5))

    monkeypatch.setattr(embedder, "_model", Flat([object()]))
    assert embedder.layers(["a", "b"]).shape == (2, 1, 5)


@pytest.mark.parametrize(
    ("reference", "words"),
    [("no-such-model", "No model is called"), ("./nowhere/at/all", "does not exist"), ("nobody/nothing", "could not be loaded")],
)
def test_a_reference_that_names_nothing_is_refused(reference: str, words: str, paths: Paths) -> None:
    with pytest.raises(StudioError, match=words) as told:
        ruler_compare.compare([reference], paths)
    assert "sentence-transformers" in told.value.hint


def test_a_folder_that_holds_no_encoder_ends_the_comparison_before_it_starts(tmp_path: Path, second_model: Path, paths: Paths) -> None:
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "config.json").write_text('{"model_type": "bert"}', encoding="utf-8")
    said: list[str] = []
    with pytest.raises(StudioError, match="could not be loaded") as told:
        ruler_compare.compare([str(second_model), str(broken)], paths, said.append)
    assert "sentence-transformers folder" in told.value.hint and not any("Fitting" in one for one in said)


def test_a_comparison_needs_models_and_each_of_them_once(paths: Paths) -> None:
    for given, words in (([], "no embedding model"), (["a/b", "a/b"], "named twice")):
        with pytest.raises(StudioError, match=words):
            ruler_compare.compare(given, paths)
