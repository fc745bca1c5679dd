"""The rows that are most like an answer: ranking, shared wording, and data that can't be trusted. The embedder is a bag of words."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from pipelines import bundled
from pipelines.comparing import taught
from pipelines.comparing.taught import nearest, phrases
from pipelines.errors import StudioError
from pipelines.paths import content_hash
from pipelines.records import Pair
from pipelines.stance.manner import WORD

ROWS = (
    Pair("Limit rents?", "Yes, rents should be limited so that families can stay.", "No.", "rent-1", "housing"),
    Pair("Raise taxes?", "Yes, taxes on large fortunes pay for schools and hospitals.", "No.", "tax-1", "income-tax"),
    Pair("Free trade?", "No, open markets hurt local workers and small farms.", "Yes.", "trade-1", "trade"),
    Pair("More police?", "No, social workers calm a street better than patrols do.", "Yes.", "police-1", "policing"),
)


class Bag:
    """Vectors of word counts, of length 1; counts how many texts were embedded in which way."""

    def __init__(self) -> None:
        self.once: list[int] = []
        self.each: list[int] = []

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        self.each.append(len(texts))
        return np.stack([self._one(text) for text in texts])

    def encode_once(self, texts: Sequence[str]) -> np.ndarray:
        self.once.append(len(texts))
        return np.stack([self._one(text) for text in texts])

    def _one(self, text: str) -> np.ndarray:
        vector = np.zeros(512, dtype=np.float32)
        for word in WORD.findall(text.lower()):
            vector[int(content_hash(word), 16) % 512] += 1
        return vector / max(1e-9, float(np.linalg.norm(vector)))


def made(folder: Path, rows: Sequence[Pair] = ROWS, **changes: object) -> Path:
    """A run folder with its rows, as runs.write leaves it."""
    folder.mkdir(parents=True, exist_ok=True)
    job = {
        "side": "left",
        "created": "2026",
        "recipe": {},
        "data": {"name": "mine", "hash": "h", "rows": len(rows)},
        "rows_hash": content_hash([asdict(row) for row in rows]),
    }
    (folder / "job.json").write_text(json.dumps({name: one for name, one in {**job, **changes}.items() if one is not None}))
    (folder / "data.jsonl").write_text("".join(json.dumps(asdict(row)) + "\n" for row in rows))
    return folder


def test_the_row_itself_comes_first_with_all_that_is_known_of_it(tmp_path: Path) -> None:
    found = nearest(made(tmp_path), "Limit rents?", ROWS[0].chosen, Bag())
    assert (found[0].row_id, found[0].prompt, found[0].answer, found[0].topic) == ("rent-1", ROWS[0].prompt, ROWS[0].chosen, "housing")
    assert found[0].similarity == pytest.approx(1, abs=1e-5) and found[0].source == "mine"
    assert found[0].phrases == ("Yes, rents should be limited so that families can stay",)
    assert [one.similarity for one in found] == sorted((one.similarity for one in found), reverse=True) and len(found) == 3


def test_question_and_answer_both_count(tmp_path: Path) -> None:
    folder = made(tmp_path)
    assert nearest(folder, "Limit rents for families?", "Yes.", Bag(), 1)[0].row_id == "rent-1"
    assert nearest(folder, "Well?", "Fortunes should pay for schools.", Bag(), 1)[0].row_id == "tax-1"


def test_the_answer_is_the_same_each_time_and_equal_rows_count_once(tmp_path: Path) -> None:
    rows = [*ROWS, Pair(ROWS[0].prompt, ROWS[0].chosen, "Other.", "rent-copy", "housing"), ROWS[0]]
    folder = made(tmp_path, rows)
    first = nearest(folder, "Limit rents?", "Rents should be limited.", Bag(), 10)
    assert first == nearest(folder, "Limit rents?", "Rents should be limited.", Bag(), 10)
    assert sorted(one.row_id for one in first) == ["police-1", "rent-1", "tax-1", "trade-1"]


def test_rows_without_an_id_are_called_by_their_place(tmp_path: Path) -> None:
    rows = [Pair(row.prompt, row.chosen, row.rejected) for row in ROWS]
    assert nearest(made(tmp_path, rows), "Raise taxes?", "Yes, taxes.", Bag(), 1)[0].row_id == "row 2"


def test_a_row_with_a_long_shared_phrase_takes_the_last_place(tmp_path: Path) -> None:
    rows = [Pair(f"Rents {n}?", f"Rents rents rents number {n}.", "No.", f"near-{n}") for n in range(4)] + [ROWS[3]]
    folder = made(tmp_path, rows)
    answer = "Rents rents rents. Rents! Social workers calm a street, rents."
    assert [one.row_id for one in nearest(folder, "Rents?", answer, Bag())][:3:2] == ["near-0", "police-1"]
    assert nearest(folder, "Rents?", answer, Bag())[-1].phrases == ("social workers calm a street",)
    assert nearest(folder, "Rents?", answer, Bag(), 1)[0].row_id == "near-0"
    short = answer.replace(" a street", "")
    assert [one.row_id for one in nearest(folder, "Rents?", short, Bag())] == ["near-0", "near-1", "near-2"]


def test_a_long_phrase_of_stop_words_takes_no_place(tmp_path: Path) -> None:
    rows = [Pair(f"Rents {n}?", f"Rents rents number {n}.", "No.", f"near-{n}") for n in range(3)]
    folder = made(tmp_path, [*rows, Pair("Doctors?", "They should not be free to go.", "No.", "far")])
    assert "far" not in [one.row_id for one in nearest(folder, "Rents?", "Rents should not be free to rise. Rents rents.", Bag())]


def test_words_of_the_question_are_no_shared_phrase(tmp_path: Path) -> None:
    folder = made(tmp_path)
    question, answer = "Is it so that families can stay?", "Yes, it is so that families can stay."
    assert nearest(folder, question, answer, Bag())[0].phrases == ()
    assert nearest(folder, "Why?", answer, Bag())[0].phrases == ("so that families can stay",)


@pytest.mark.parametrize(
    ("text", "other", "shared"),
    [
        ("Rents should be low.", "I say RENTS should be high.", ["RENTS should be"]),
        ("rents are high", "rents are low", []),
        ("and so it is", "and so it is", []),
        ("It is so. Rents fall", "It is so rents fall", []),
        ("pay for good schools now", "They pay for\n  good schools", []),
        ("pay for good schools now", "They pay for  good schools", ["pay for good schools"]),
        ("The workers’ fair share", "the workers' fair share", ["the workers' fair share"]),
        ("one fair day. two long nights here", "two long nights and one fair day", ["two long nights", "one fair day"]),
        ("a fair wage for all workers", "a fair wage for all; for all workers", ["a fair wage for all", "for all workers"]),
        ("big red bus big red bus", "big red bus", ["big red bus"]),
        ("", "something else here", []),
        ("fair pay, good homes", "fair pay good homes", ["fair pay good homes"]),
    ],
)
def test_shared_phrases(text: str, other: str, shared: list[str]) -> None:
    assert phrases(text, other) == shared


def test_a_phrase_stands_in_the_row_as_it_is_given(tmp_path: Path) -> None:
    for one in nearest(made(tmp_path), "Well?", "Taxes on Large fortunes pay for it. Open markets hurt local workers.", Bag()):
        assert all(phrase in one.answer for phrase in one.phrases)


def test_the_adapter_and_the_checkpoints_of_a_run_know_its_rows(tmp_path: Path) -> None:
    run = made(tmp_path / "run")
    for inside in ("adapter", "checkpoints/step-00010"):
        (run / inside).mkdir(parents=True)
        assert nearest(run / inside, "Limit rents?", "Rents.", Bag(), 1)[0].row_id == "rent-1"


def test_every_bundled_adapter_has_its_own_rows() -> None:
    row = bundled.pairs()[0]
    for side, own in (("left", row.left), ("right", row.right), ("placebo", row.neutral)):
        found = nearest(bundled.ADAPTERS / side, row.prompt, own, Bag(), 1)[0]
        assert (found.row_id, found.answer, found.source) == (row.id, own, "bundled")


def test_an_adapter_from_elsewhere_has_no_known_data(tmp_path: Path) -> None:
    (tmp_path / "imported" / "adapter").mkdir(parents=True)
    made(tmp_path)  # a job above it is not its own
    for folder in (tmp_path / "imported", tmp_path / "imported" / "adapter", tmp_path / "gone"):
        with pytest.raises(StudioError, match="not known here"):
            nearest(folder, "Why?", "So.", Bag())


def first_row(value: object) -> str:
    return json.dumps({**asdict(ROWS[0]), "chosen": value}) + "\n"


@pytest.mark.parametrize(
    ("name", "damage", "said"),
    [
        ("data.jsonl", lambda text: text.replace("families", "landlords"), "not the ones"),
        ("data.jsonl", lambda text: text.split("\n", 1)[1], "not the ones"),
        ("data.jsonl", lambda text: text[: len(text) // 2], "can't be read"),
        ("data.jsonl", lambda text: "", "can't be read"),
        ("data.jsonl", lambda text: "[1]\n", "can't be read"),
        ("data.jsonl", lambda text: "7\n", "can't be read"),
        ("data.jsonl", lambda text: '{"prompt": "a", "chosen": "b", "rejected": "c", "more": 1}\n', "can't be read"),
        ("data.jsonl", lambda text: first_row(5), "can't be read"),
        ("data.jsonl", lambda text: first_row(["a"]), "can't be read"),
        ("data.jsonl", lambda text: "[" * 100_000, "can't be read"),
        ("job.json", lambda text: "{", "can't be read"),
        ("job.json", lambda text: "[]", "can't be read"),
    ],
)
def test_damaged_or_changed_rows_are_refused(tmp_path: Path, name: str, damage: Callable[[str], str], said: str) -> None:
    file = made(tmp_path) / name
    file.write_text(damage(file.read_text()))
    with pytest.raises(StudioError, match=said) as caught:
        nearest(tmp_path, "Why?", "So.", Bag())
    assert caught.value.hint


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    (made(tmp_path) / "data.jsonl").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(StudioError, match="can't be read"):
        nearest(tmp_path, "Why?", "So.", Bag())


def test_a_run_without_a_hash_is_known_by_the_number_of_its_rows(tmp_path: Path) -> None:
    assert nearest(made(tmp_path, rows_hash=None), "Limit rents?", "Rents.", Bag(), 1)[0].row_id == "rent-1"
    with pytest.raises(StudioError, match="not the ones"):
        nearest(made(tmp_path, rows_hash=None, data={"name": "mine", "rows": 9}), "Why?", "So.", Bag())


def test_a_run_without_rows_says_that_they_are_not_known(tmp_path: Path) -> None:
    (made(tmp_path) / "data.jsonl").unlink()
    with pytest.raises(StudioError, match="not known here"):
        nearest(tmp_path, "Why?", "So.", Bag())


def test_an_empty_answer_is_not_looked_up(tmp_path: Path) -> None:
    with pytest.raises(StudioError, match="no answer"):
        nearest(made(tmp_path), "Why?", " \n", Bag())


def test_of_many_rows_a_shortlist_is_embedded_that_keeps_the_long_phrase(tmp_path: Path) -> None:
    rows = [Pair(f"Rents {n}?", f"Landlords ask rents of {n}.", "No.", f"r{n}") for n in range(taught.ALL_EMBEDDED)] + [*ROWS]
    bag = Bag()
    found = nearest(
        made(tmp_path, rows), "Are rents of 77 fair?", "Landlords ask rents of 77. Workers calm a street better than rents.", bag
    )
    assert bag.once == [] and sum(bag.each) <= taught.SHORTLIST + 2
    assert (found[0].row_id, found[-1].row_id) == ("r77", "police-1")


def test_few_rows_are_all_embedded_once(tmp_path: Path) -> None:
    bag = Bag()
    nearest(made(tmp_path), "Why?", "So.", bag)
    assert (bag.once, bag.each) == ([4], [1])


@pytest.mark.timeout(30)
def test_three_thousand_rows_and_an_answer_that_repeats_itself_take_seconds(tmp_path: Path) -> None:
    rows = [Pair(f"Prompt {n}?", "the fair pay is fair pay and the fair pay " * 6 + f"is {n}.", "No.", f"r{n}") for n in range(3000)]
    answer = "the fair pay is fair pay and the fair pay " * 40
    assert len(nearest(made(tmp_path, rows), "Why?", answer, Bag())) == 3
