"""Small parts: recipes, statistics, the adapter gate, pages' texts, and the settings of the command line."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pipelines.errors import StudioError
from pipelines.models.template import ALPACA, flatten
from pipelines.paths import atomic_folder
from pipelines.records import Answer, Shift, Stamp
from pipelines.stance import collateral
from pipelines.stance.statistics import holm, shift
from pipelines.tuning.recipe import Recipe
from studio.views import cards, messages


def test_a_recipe_survives_yaml_and_keeps_its_hash(tmp_path: Path) -> None:
    import yaml

    recipe = Recipe(learning_rate=1e-4, modules=("q_proj",))
    (tmp_path / "r.yaml").write_text(yaml.safe_dump(recipe.as_dict()))
    assert Recipe.from_yaml(tmp_path / "r.yaml") == recipe and Recipe.from_yaml(tmp_path / "r.yaml").hash == recipe.hash


@pytest.mark.parametrize(
    "values,words",
    [
        ({"learning_rate": 5}, "learning_rate"),
        ({"epochs": "many"}, "epochs"),
        ({"modules": 5}, "modules"),
        ({"seed": 1.5}, "seed"),
        ({"lora_rank": True}, "lora_rank"),
        ({"method": "magic"}, "method"),
        ({"modules": ["lm_head"]}, "lm_head"),
        ({"speed": 1}, "speed"),
        ({"batch_size": 0}, "batch_size"),
    ],
)
def test_recipes_out_of_range_are_refused_with_a_sentence(values: dict, words: str) -> None:
    with pytest.raises(StudioError, match=words) as caught:
        Recipe.from_dict(values)
    assert caught.value.hint


def test_numbers_that_yaml_reads_as_text_are_numbers(tmp_path: Path) -> None:
    (tmp_path / "r.yaml").write_text("learning_rate: 5e-4\nmodules: [q_proj]\n")
    assert Recipe.from_yaml(tmp_path / "r.yaml").learning_rate == 5e-4


def test_a_shift_of_nothing_is_not_significant_and_a_clear_one_is() -> None:
    noise = np.random.default_rng(1).normal(0, 1, 30)
    assert shift(noise).p > 0.05
    clear = shift(noise * 0.2 + 1)
    assert clear.p < 0.001 and clear.low > 0 and clear.low < clear.mean < clear.high
    assert shift([]) == Shift(0.0, 0.0, 0.0, 1.0, 0) and shift([2.0, 2.0]).p == 1.0


def test_holm_is_monotone_and_at_most_one() -> None:
    assert holm([0.01, 0.04]) == [0.02, 0.04] and holm([0.04, 0.03]) == [0.06, 0.06] and holm([0.9, 0.8]) == [1.0, 1.0]


def test_repetition_counts_repeated_runs_of_four_words() -> None:
    assert collateral.repetition_4("a b c d e f g") == 0 and collateral.repetition_4("a b c d a b c d a b c d") > 0.4


def test_an_interrupted_write_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), atomic_folder(tmp_path / "thing") as folder:
        (folder / "half").write_text("x")
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []


def test_chat_blocks_are_flattened_and_alpaca_reads_well() -> None:
    import jinja2

    assert flatten([{"type": "text", "text": "a"}, "b"]) == "a\nb" and flatten(None) == ""
    text = jinja2.Template(ALPACA).render(messages=[{"role": "user", "content": "Hi?"}], add_generation_prompt=True, eos_token="</s>")
    assert text == "### Instruction:\nHi?\n\n### Response:\n"


def answer(**changes: object) -> Answer:
    stamp = Stamp("base model", "b" * 12, "left", "a" * 12, 1.0, 0.7, 0.9, 1, 64, "p" * 12, "t" * 12)
    return Answer(**{"column": "left", "prompt": "q", "text": "words", "tokens": 5, "finished": "eos", "stamp": stamp, **changes})  # type: ignore[arg-type]


def test_cards_mark_what_is_tuned_carry_the_stamp_and_run_no_html() -> None:
    page = cards.cards("<script>alert(1)</script>", [answer(text="<img src=x onerror=alert(1)>")])
    assert "<script>" not in page and "<img" not in page and "deliberately biased" in page
    assert all(part in page for part in ("b" * 12, "a" * 12, "token cap", "seed", "strength"))
    untuned = replace(answer().stamp, adapter="", adapter_fingerprint="")
    assert "not tuned" in cards.cards("q", [answer(column="base", stamp=untuned)])
    assert "not tuned" not in cards.cards("q", [answer(column="base · economics")]), "a name makes no model untuned"


def test_an_answer_survives_json() -> None:
    assert Answer.from_dict(json.loads(json.dumps(answer().as_dict()))) == answer()


def test_messages_escape_and_durations_read_well() -> None:
    assert "<b>x" not in messages.good("<b>x") and "&lt;i&gt;" in messages.table(["<i>"], [["1"]])
    assert [messages.duration(s) for s in (5, 75, 3700)] == ["5 s", "1 min 15 s", "1 h 1 min"]
