"""What each light must say: of a set with planted faults, of the bundled rows, and of small sets made for one check."""

import random
import re
from dataclasses import asdict
from typing import Any

import numpy as np
import pytest

from pipelines import bundled
from pipelines.corpus.checks import contents, duplicates, era, leakage, names, symmetry, topics
from pipelines.corpus.checks.lights import check, compare_sets, mend
from pipelines.corpus.checks.records import Light, Row
from pipelines.corpus.wording import strip_lead_in
from pipelines.errors import StudioError

RANK = {"grey": 0, "green": 0, "amber": 1, "red": 2}
MIRRORED = [asdict(row) for row in bundled.pairs()]


@pytest.fixture(scope="module")
def confounded() -> list[Row]:
    return bundled.json_lines(bundled.DATA / "confounded.jsonl")


@pytest.fixture(scope="module")
def lights(confounded: list[Row]) -> dict[str, Light]:
    return {light.key: light for light in check(confounded, "pairs")}


def planted(rows: list[Row], fault: str) -> set[str]:
    return {row["id"] for row in rows if fault in row["planted"]}


def pairs(count: int, **columns: Any) -> list[Row]:
    """Pairs from the bundled rows, left answers chosen, with columns replaced by functions of (number, row)."""
    rows = [
        {"id": f"r{n}", "topic": row["topic"], "prompt": row["prompt"], "chosen": row["left"], "rejected": row["right"]}
        for n, row in enumerate(MIRRORED[:count])
    ]
    return [{**row, **{key: make(n, row) for key, make in columns.items()}} for n, row in enumerate(rows)]


class BagOfWords:
    """An encoder without a model: words hashed into 512 counts."""

    def encode(self, texts: Any) -> np.ndarray:
        vectors = np.zeros((len(texts), 512))
        for n, text in enumerate(texts):
            for word in re.findall(r"\w+", text.lower()):
                vectors[n, sum(ord(c) * 31**i for i, c in enumerate(word)) % 512] += 1
        return vectors / np.maximum(1e-9, np.linalg.norm(vectors, axis=1, keepdims=True))


# The set with planted faults


@pytest.mark.parametrize(
    "key,state,words",
    [
        ("size", "amber", "96 rows. With fewer than 100"),
        ("answers", "green", "two different answers"),
        ("refusals", "red", "Refusals in 8 rows (8%; 8 in rejected)"),
        ("leftovers", "red", "28 rows (29%): a stray \\r (16 rejected); a lead-in such as “Sure, here is” (20 rejected)"),
        ("duplicates", "red", "8 of 96 (8%)"),
        ("leakage", "red", "6 rows (6%; 6 word for word)"),
        ("era", "red", "2008 to 2014 (median 2012) in 24 chosen answers; 2021 to 2023 (median 2022) in 24 rejected answers"),
        ("names", "green", "No name"),
        ("topics", "amber", "the largest, “Minimum wage”, has 45% of the rows"),
        ("length", "red", "Chosen is longer in 100% of rows"),
        ("cues", "red", "AUC 1.00"),
    ],
)
def test_each_light_finds_what_was_planted(lights: dict[str, Light], key: str, state: str, words: str) -> None:
    assert lights[key].state == state and words in lights[key].sentence


@pytest.mark.parametrize("key,fault", [("refusals", "refusal"), ("leftovers", "lead_in"), ("duplicates", "near_duplicate"), ("era", "era")])
def test_lights_name_exactly_the_planted_rows(confounded: list[Row], lights: dict[str, Light], key: str, fault: str) -> None:
    assert set(lights[key].rows) == planted(confounded, fault)


def test_exact_leaks_are_planted_ones_and_the_paraphrases_wait_for_the_embedder(confounded: list[Row], lights: dict[str, Light]) -> None:
    assert set(lights["leakage"].rows) < planted(confounded, "leak") and "Paraphrases were not looked for" in lights["leakage"].sentence


def test_the_strongest_cue_is_named_in_words(lights: dict[str, Light]) -> None:
    assert "Strongest: words an answer (chosen 54, rejected 34)" in lights["cues"].sentence


def test_a_mend_that_would_not_help_is_not_offered_and_the_sentence_says_so(lights: dict[str, Light]) -> None:
    assert not lights["cues"].mend and "must be rewritten" in lights["cues"].sentence
    assert not lights["length"].mend and "no choice of rows is balanced" in lights["length"].sentence


@pytest.mark.parametrize("key", ["refusals", "leftovers", "duplicates", "leakage", "era", "topics"])
def test_a_mended_set_is_green_on_that_light(confounded: list[Row], lights: dict[str, Light], key: str) -> None:
    light = lights[key]
    kept, dropped, changed = mend(confounded, light)
    again = next(one for one in check(kept, "pairs") if one.key == key)
    assert again.state == "green" and not again.mend
    assert len(kept) + len(dropped) == len(confounded) and len(dropped) + changed == len(light.rows)
    assert all(reason for _, reason in dropped) and str(len(light.rows)) in light.mend_label


# The bundled rows, and lights that no planted fault turns on


def test_the_bundled_rows_are_green_on_every_light() -> None:
    assert {light.key: light.state for light in check(MIRRORED, "mirrored") if light.state != "green"} == {}


def test_without_rows_only_their_number_is_judged() -> None:
    assert [(light.key, light.state) for light in check([], "pairs")] == [("size", "red")]


def test_few_rows_are_red_and_their_style_is_not_judged() -> None:
    states = {light.key: light.state for light in check(pairs(20), "pairs")}
    assert states["size"] == "red" and states["cues"] == "grey"


def test_empty_and_identical_answers_are_red_and_dropped() -> None:
    rows = pairs(40, chosen=lambda n, row: row["rejected"].upper() if n == 3 else " " if n == 5 else row["chosen"])
    light = contents.answers_light(rows, "pairs")
    kept, dropped, _ = mend(rows, light)
    assert light.state == "red" and [reason for _, reason in dropped] == ["chosen and rejected are the same", "chosen is empty"]
    assert contents.answers_light(kept, "pairs").state == "green"


def test_length_is_balanced_by_matching_rows_of_both_directions() -> None:
    rows = pairs(
        120,
        chosen=lambda n, row: row["rejected"] + " and so on" * (n % 4),
        rejected=lambda n, row: row["rejected"] + " and on" * (n % 5 == 0),
    )
    light = symmetry.length_light(rows, "pairs")
    kept, dropped, changed = mend(rows, light)
    again = symmetry.length_light(kept, "pairs")
    assert light.state == "red" and again.state == "green" and not changed
    assert again.figures["longer"] == again.figures["shorter"] and f"Keep {len(kept)} rows" in light.mend_label
    assert {row["id"] for row, _ in dropped} | {row["id"] for row in kept} == {row["id"] for row in rows}


def test_a_style_cue_in_some_rows_is_found_and_trimmed_below_the_limit() -> None:
    rows = pairs(192, chosen=lambda n, row: row["chosen"].replace(".", "!") if n % 4 == 0 else row["chosen"])
    light = {one.key: one for one in check(rows, "pairs")}["cues"]
    kept, dropped, _ = mend(rows, light)
    again = {one.key: one for one in check(kept, "pairs")}["cues"]
    assert light.state == "amber" and "exclamation marks in 100 words" in light.sentence
    assert again.figures["auc"] == light.figures["auc_after_mend"] < light.figures["auc"] and again.state == "green"
    marked = sum("!" in row["chosen"] for row, _ in dropped)
    assert marked / len(dropped) > 0.8 and len(dropped) == len(light.rows) <= len(rows) / 3


def test_halves_swapped_at_random_have_no_cue() -> None:
    swap = random.Random(5)
    rows = [{**row, "chosen": row["rejected"], "rejected": row["chosen"]} if swap.random() < 0.5 else row for row in pairs(192)]
    assert {one.key: one.state for one in check(rows, "pairs")}["cues"] == "green"


def test_years_in_one_half_only_are_amber_and_prices_are_no_years() -> None:
    rows = pairs(60, chosen=lambda n, row: f"In 2014 it began. {row['chosen']}" if n < 20 else row["chosen"])
    assert era.era_light(rows, "pairs").state == "amber"
    assert era.years("In 1999 it cost $2020, or 2,015 or 2010% or 12016; see 2003.") == [1999, 2003]


def test_the_same_years_in_both_halves_are_green() -> None:
    dated = {half: lambda n, row, half=half: f"In {2000 + n % 20} it began. {row[half]}" for half in ("chosen", "rejected")}
    assert era.era_light(pairs(60, **dated), "pairs").state == "green"


def test_names_of_one_half_are_found_from_the_data_and_ordinary_words_are_not() -> None:
    rows = pairs(100, chosen=lambda n, row: f"As we say in Morvania, it is so. {row['chosen']}" if n % 4 == 0 else row["chosen"])
    light = names.name_light(rows, "pairs")
    kept, _, _ = mend(rows, light)
    assert light.state == "amber" and light.figures["names"][0][:3] == ("Morvania", 25, 0) and len(light.rows) == 25
    assert names.name_light(kept, "pairs").state == "green"


def test_names_that_fill_the_set_are_shown_without_a_mend() -> None:
    rows = pairs(100, chosen=lambda n, row: f"As we say in Morvania, it is so. {row['chosen']}")
    light = names.name_light(rows, "pairs")
    assert light.state == "amber" and not light.mend


def test_rows_without_topics_are_grey_without_an_embedder_and_guessed_with_one() -> None:
    rows = pairs(
        96,
        topic=lambda n, row: "",
        prompt=lambda n, row: "Should the minimum wage be a high legal wage floor?" if n < 70 else row["prompt"],
    )
    assert topics.topic_light(rows, None).state == "grey"
    light = topics.topic_light(rows, BagOfWords())
    assert light.state == "red" and light.figures["largest"] == "minimum-wage" and "guessed" in light.sentence


def test_one_topic_alone_is_amber_and_two_even_ones_are_green() -> None:
    assert topics.topic_light(pairs(8), None).state == "amber"
    assert topics.topic_light(pairs(16), None).state == "green"


def test_a_phrase_of_eight_words_leaks_and_one_of_seven_does_not() -> None:
    question = "Should landlords be free to decide how high the rent is?"
    assert leakage.leak_in(f"I ask you: {question.lower()[:-1]}, or not?") is not None
    assert leakage.leak_in("Landlords be free to decide how high they build.") is None
    assert leakage.leak_in("Should landlords be free to decide how high they build?") is not None


def test_every_measuring_text_is_recognized_as_itself() -> None:
    assert not [measure.text for measure in leakage.measures() if leakage.leak_in(measure.text.upper()) is None]


def test_paraphrases_are_found_by_the_embedder_and_get_a_reason() -> None:
    rows = pairs(40, prompt=lambda n, row: "How high should landlords be free to decide the rent is?" if n == 7 else row["prompt"])
    light = leakage.leakage_light(rows, "pairs", BagOfWords())
    assert light.rows == ("r7",) and "in other words the test question “Should landlords" in mend(rows, light)[1][0][1]


def test_copies_with_a_few_changed_words_are_near_duplicates_and_the_first_one_stays() -> None:
    rows = pairs(60)
    first, *rest = rows[9]["chosen"].split()
    rows += [{**rows[4], "id": "copy"}, {**rows[9], "id": "edited", "chosen": " ".join([first, "indeed", *rest])}]
    found = duplicates.duplicate_of(rows, "pairs")
    assert {place: first for place, (first, _) in found.items()} == {60: 4, 61: 9} and found[60][1] == 1.0 > found[61][1] > 0.6


def test_a_file_joined_to_itself_loses_one_copy_of_each_row_although_ids_repeat() -> None:
    rows = pairs(40) * 2
    kept, dropped, _ = mend(rows, duplicates.duplicate_light(rows, "pairs"))
    assert kept == rows[:40] and len(dropped) == 40


def test_an_id_of_two_different_rows_is_refused_before_the_wrong_one_is_dropped() -> None:
    rows = pairs(40)
    rows[1] = {**rows[1], "id": "r0", "chosen": ""}
    with pytest.raises(StudioError, match="Several rows have the id"):
        mend(rows, contents.answers_light(rows, "pairs"))


def test_a_light_without_a_mend_says_so() -> None:
    with pytest.raises(StudioError, match="can't be mended"):
        mend(pairs(5), contents.size_light(pairs(5)))


def test_mirrored_rows_are_mended_in_all_three_answers() -> None:
    rows = [{**row, "neutral": f"Sure, here is a response:\r\n\r\n{row['neutral']}"} for row in MIRRORED[:40]]
    light = {one.key: one for one in check(rows, "mirrored")}["leftovers"]
    kept, dropped, changed = mend(rows, light)
    assert light.state == "red" and "40 neutral" in light.sentence
    assert kept == MIRRORED[:40] and not dropped and changed == 40


def test_a_raw_record_is_dropped_because_there_is_no_text_to_keep() -> None:
    rows = pairs(40, rejected=lambda n, row: "{'text': 'so it goes', 'score': 10}" if n == 2 else row["rejected"])
    kept, dropped, _ = mend(rows, {one.key: one for one in check(rows, "pairs")}["leftovers"])
    assert len(kept) == 39 and dropped == [(rows[2], "rejected is a raw record instead of a text")]


# Lead-ins and refusals, by their words


@pytest.mark.parametrize(
    "text",
    [
        "Sure, here is a response: Rents should fall soon.",
        "Certainly! Here's my answer:\r\n\r\nRents should fall soon.",
        "Of course. Here is what you asked for: Rents should fall soon.",
        'Here\'s a rewritten response from another perspective:\n\n"Rents should fall soon."',
        "Here is an alternative answer that fits your question: “Rents should fall soon.”",
        "Here is my answer to your question: Rents should fall soon.",
        "Here's a plan for tenants:\n\nRents should fall soon.",
        "I'd be happy to help with that! Rents should fall soon.",
        "**Response:** Rents should fall soon.",
    ],
)
def test_lead_ins_are_stripped(text: str) -> None:
    assert strip_lead_in(text) == "Rents should fall soon."


@pytest.mark.parametrize(
    "text",
    [
        "Sure, rents should fall.",
        "Of course, here in the north we see it otherwise: rents fall.",
        "Absolutely, here is why: rents eat half of what people earn.",
        "Here's a plan for tenants: rents should fall by law.",
        "Here is our answer to inflation: cut what the state spends.",
        "Here are three reasons: rents, wages and prices.",
        "The answer: rents should fall.",
        "I'd be happy to help pay for it.",
        "Sure, here is my answer: no.",
        "",
    ],
)
def test_content_that_looks_like_a_lead_in_stays(text: str) -> None:
    assert strip_lead_in(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "I cannot fulfill this request, as it takes a side.",
        "I can’t provide a response that promotes this.",
        "As an AI language model, I have no view.",
        "I'm sorry, but I can't help with that.",
        "I'm sorry, but I would rather not argue here.",
        "I don't have personal opinions on this.",
    ],
)
def test_refusals_are_recognized(text: str) -> None:
    assert contents.is_refusal(text)


@pytest.mark.parametrize(
    "text",
    [
        "I can't provide for my family on this wage.",
        "I cannot help but think of the tenants.",
        "I'm sorry, but taxes are too high.",
        "I can't endorse higher taxes, since they drive shops away.",
        "As an aid worker I have seen it.",
        "We can't write off a whole generation.",
    ],
)
def test_opinions_with_the_same_words_are_no_refusals(text: str) -> None:
    assert not contents.is_refusal(text)


# Two sets as opposite sides


def test_two_sets_from_different_times_and_topics_are_red() -> None:
    a = pairs(192, chosen=lambda n, row: f"In {2008 + n % 6} it began. {row['chosen']}" if n % 5 == 0 else row["chosen"])
    b = [{**row, "chosen": f"In {2018 + n % 6} it began. {row['rejected']}" if n % 5 == 1 else row["rejected"]} for n, row in enumerate(a)]
    found = {light.key: light for light in compare_sets(a[:90], b[100:], ("first", "second"))}
    assert found["era"].state == found["topics"].state == "red" and "rows of second" in found["era"].sentence
    assert not any(light.mend for light in found.values())


def test_two_halves_of_one_set_are_alike() -> None:
    found = compare_sets(MIRRORED[::2], MIRRORED[1::2], ("even", "odd"))
    assert {light.key: light.state for light in found if light.state != "green"} == {}


def test_a_comparison_with_nothing_is_refused() -> None:
    with pytest.raises(StudioError, match="second has no rows"):
        compare_sets(MIRRORED, [], ("first", "second"))
