"""Columns on the embedded model: blends, strengths, traces, and adapters that are not what they say."""

from pathlib import Path

import pytest

from pipelines import bundled
from pipelines.errors import StudioError
from pipelines.models.host import ModelHost, Row
from pipelines.models.template import ask
from pipelines.paths import Paths
from pipelines.records import Answer, Column, Sampling

QUESTION = "Should the government raise taxes on the rich?"
GREEDY = Sampling(temperature=0, max_new_tokens=12)
LEFT, RIGHT, PLACEBO = (Column(name, bundled.ADAPTERS / name) for name in ("left", "right", "placebo"))
BASE = Column("base")
assert LEFT.adapter and RIGHT.adapter
HALF = Column("left × 0.5 + right × 0.5", LEFT.adapter, 0.5, ((RIGHT.adapter, 0.5),))


def answers(host: ModelHost, columns: list[Column], question: str = QUESTION) -> list[Answer]:
    return host.answer_all([Row(column, ask(question), 1) for column in columns], GREEDY)


@pytest.fixture
def fresh(model_home: Paths) -> ModelHost:
    return ModelHost(model_home)


def test_six_columns_of_every_kind_in_one_batch_say_what_each_says_alone(host: ModelHost) -> None:
    columns = [BASE, LEFT, Column("left × 0.5", LEFT.adapter, 0.5), Column("not left", LEFT.adapter, -1.0), HALF, PLACEBO]
    together = [answer.text for answer in answers(host, columns)]
    assert together == [answers(host, [column])[0].text for column in columns]
    assert len(set(together)) >= 5


def test_a_blend_of_an_adapter_with_a_silent_one_is_the_adapter_and_its_stamp_names_both(host: ModelHost) -> None:
    alone, blend = answers(host, [LEFT, Column("left", LEFT.adapter, 1.0, ((RIGHT.adapter, 0.0),))])
    assert blend.text == alone.text
    assert blend.stamp.adapter_fingerprint == "+".join(
        [f"{alone.stamp.adapter_fingerprint}*1", f"{answers(host, [RIGHT])[0].stamp.adapter_fingerprint}*0"]
    )


def test_a_blend_adds_the_two_changes_up_exactly(host: ModelHost) -> None:
    import torch

    answers(host, [HALF, LEFT, RIGHT])
    assert host._shelf is not None and host.base is not None
    names = {use.fingerprint: name for name, use in host._shelf.loaded.items()}
    layer = host.base.model.base_model.model.model.layers[25].mlp.up_proj

    def change(name: str) -> torch.Tensor:
        return layer.lora_B[name].weight @ layer.lora_A[name].weight * layer.scaling[name]

    prints = [answers(host, [column])[0].stamp.adapter_fingerprint for column in (HALF, LEFT, RIGHT)]
    blend, left, right = (change(names[one]) for one in prints)
    assert torch.allclose(blend, (left + right) / 2, atol=1e-6) and left.abs().max() > 1e-4


def test_a_wrong_adapter_planted_in_memory_is_caught_and_never_answers_under_a_right_name(fresh: ModelHost) -> None:
    import torch

    expected = answers(fresh, [LEFT, RIGHT])
    assert fresh._shelf is not None and fresh.base is not None
    left, right = fresh._shelf.loaded
    with torch.no_grad():
        for layer in fresh.base.model.base_model.model.model.layers[20:]:
            layer.mlp.up_proj.lora_B[left].weight.copy_(layer.mlp.up_proj.lora_B[right].weight)
    with pytest.raises(StudioError, match="not the adapter that was checked"):
        answers(fresh, [BASE, LEFT])
    assert answers(fresh, [LEFT, RIGHT]) == expected, "the model is loaded afresh"


def test_a_dial_turned_behind_the_hosts_back_is_caught(fresh: ModelHost) -> None:
    from pipelines.models.adapters import set_strength

    answers(fresh, [LEFT])
    assert fresh._shelf is not None and fresh.base is not None
    set_strength(fresh.base.model, next(iter(fresh._shelf.loaded)), 2.0)
    with pytest.raises(StudioError, match="not the adapter that was checked"):
        answers(fresh, [LEFT])


def test_another_adapters_bytes_under_a_known_folder_get_another_stamp(fresh: ModelHost, tmp_path: Path) -> None:
    import shutil

    shutil.copytree(bundled.ADAPTERS / "left" / "adapter", tmp_path / "mine")
    mine = Column("mine", tmp_path / "mine")
    first = answers(fresh, [mine])[0]
    shutil.copytree(bundled.ADAPTERS / "right" / "adapter", tmp_path / "mine", dirs_exist_ok=True)
    second = answers(fresh, [mine])[0]
    assert first.stamp.adapter_fingerprint != second.stamp.adapter_fingerprint and first.text != second.text


@pytest.mark.slow
def test_a_blend_whose_second_part_is_refused_leaves_nothing_that_answers_for_the_base(fresh: ModelHost, tmp_path: Path) -> None:
    import shutil

    from safetensors.torch import load_file, save_file

    clean = answers(fresh, [BASE])[0]
    shutil.copytree(bundled.ADAPTERS / "right" / "adapter", tmp_path / "broken")
    weights = load_file(tmp_path / "broken" / "adapter_model.safetensors")
    weights[next(iter(weights))][0, 0] = float("nan")
    save_file(weights, tmp_path / "broken" / "adapter_model.safetensors")
    with pytest.raises(StudioError, match="can't be blended"):
        answers(fresh, [Column("blend", LEFT.adapter, 1.0, ((tmp_path / "broken", 1.0),))])
    assert answers(fresh, [BASE])[0] == clean


def test_the_same_weights_with_other_settings_are_another_adapter(fresh: ModelHost, tmp_path: Path) -> None:
    import json
    import shutil

    shutil.copytree(bundled.ADAPTERS / "left" / "adapter", tmp_path / "weak")
    file = tmp_path / "weak" / "adapter_config.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "lora_alpha": 1}))
    left, weak = answers(fresh, [Column("mine", LEFT.adapter), Column("weak", tmp_path / "weak")])
    assert left.text != weak.text and left.stamp.adapter_settings != weak.stamp.adapter_settings
    assert left.stamp.adapter_fingerprint == weak.stamp.adapter_fingerprint


@pytest.mark.slow
def test_more_columns_than_fit_into_memory_come_and_go(fresh: ModelHost) -> None:
    first = answers(fresh, [LEFT])[0]
    for step in range(1, 6):
        answers(fresh, [Column("left", LEFT.adapter, step / 20), Column("blend", LEFT.adapter, step / 20, ((RIGHT.adapter, 0.5),))])  # type: ignore[arg-type]
    assert fresh._shelf is not None and fresh.base is not None
    assert len(fresh._shelf.loaded) == len(fresh.base.model.peft_config) == 8
    assert answers(fresh, [LEFT])[0] == first


@pytest.mark.slow
def test_a_bases_own_generation_settings_do_not_reach_the_answers(fresh: ModelHost, tmp_path: Path) -> None:
    import json

    plain = answers(fresh, [BASE])[0]
    assert fresh.base is not None
    for file in fresh.base.folder.iterdir():
        if file.name != "generation_config.json":
            (tmp_path / file.name).symlink_to(file)
    (tmp_path / "generation_config.json").write_text(json.dumps({"repetition_penalty": 1.5, "eos_token_id": 2, "do_sample": True}))
    other = ModelHost(fresh.paths, str(tmp_path))
    assert answers(other, [BASE])[0].text == plain.text


def test_every_end_token_of_a_model_ends_an_answer(fresh: ModelHost) -> None:
    base = fresh.load()
    said = answers(fresh, [BASE])[0]
    third = base.tokenizer(said.text, add_special_tokens=False).input_ids[3]
    base.model.generation_config.eos_token_id = [base.tokenizer.eos_token_id, third]
    short = answers(fresh, [BASE])[0]
    assert short.finished == "eos" and short.tokens == 3 and said.text.startswith(short.text)


def test_a_text_that_is_too_long_is_not_traced(host: ModelHost) -> None:
    with pytest.raises(StudioError, match="too long to be traced"):
        host.trace(LEFT, ask(QUESTION), "word " * 3000)


def test_a_refused_adapter_does_not_cost_the_model(fresh: ModelHost, tmp_path: Path) -> None:
    answers(fresh, [LEFT])
    model = fresh.load().model
    with pytest.raises(StudioError, match="holds no"):
        answers(fresh, [Column("nothing", tmp_path)])
    assert fresh.load().model is model


def test_a_trace_gives_the_answer_back_and_sums_to_its_likelihood(host: ModelHost) -> None:
    said = answers(host, [LEFT])[0].text
    traced = host.trace(LEFT, ask(QUESTION), said)
    assert "".join(piece.piece for piece in traced) == said
    prefix = host.chat_prefix(QUESTION)
    for column, side in ((LEFT, "tuned"), (BASE, "base")):
        total = host.log_likelihoods(column, [(prefix, said)])[0][0]
        assert sum(getattr(piece, side) for piece in traced) == pytest.approx(total, abs=0.01)
    assert sum(piece.difference for piece in traced) > 0, "what the left adapter says is likelier for it than for the base"


def test_a_trace_of_letters_of_many_tokens_and_of_nothing(host: ModelHost) -> None:
    text = "Yes 👍🏽 – ∑ naïve"
    assert "".join(piece.piece for piece in host.trace(LEFT, ask(QUESTION), text)) == text
    assert host.trace(LEFT, ask(QUESTION), "") == []
    assert all(abs(piece.difference) < 1e-4 for piece in host.trace(BASE, ask(QUESTION), "Taxes are fair."))


def test_a_conversation_and_a_system_prompt_are_read(host: ModelHost) -> None:
    talk = [{"role": "system", "content": "Answer like a pirate."}, *ask(QUESTION), {"role": "assistant", "content": "Aye."}, *ask("Why?")]
    text = host.exact_text(talk)
    assert "pirate" in text and text.index("Aye.") < text.index("Why?") and text.rstrip().endswith("assistant")
    one, other = (host.answer_all([Row(BASE, messages, 1)], GREEDY)[0] for messages in (talk, ask("Why?")))
    assert one.stamp.prompt_hash != other.stamp.prompt_hash
