"""The model host on the embedded model: one batch, many adapters; a base that is provably the base; a clean stop."""

import shutil
import threading
from pathlib import Path

import pytest

from pipelines import bundled
from pipelines.errors import StudioError
from pipelines.models import adapters, prepare
from pipelines.models.host import ModelHost, Row
from pipelines.models.shared import SharedAnswers, Update
from pipelines.models.template import ask
from pipelines.paths import Paths
from pipelines.records import Column, Sampling

QUESTION = "Should the government raise taxes on the rich?"
GREEDY = Sampling(temperature=0, max_new_tokens=16)
LEFT, RIGHT = (Column(name, bundled.ADAPTERS / name) for name in ("left", "right"))
BASE = Column("base")


def texts(host: ModelHost, columns: list[Column], sampling: Sampling = GREEDY) -> list[str]:
    return [answer.text for answer in host.answer_all([Row(c, ask(QUESTION), sampling.seed) for c in columns], sampling)]


def test_one_batch_gives_what_each_column_gives_alone(host: ModelHost) -> None:
    together = texts(host, [BASE, LEFT, RIGHT])
    assert together == [texts(host, [column])[0] for column in (BASE, LEFT, RIGHT)]
    assert len(set(together)) == 3


def test_strength_zero_is_the_base_and_the_same_adapter_can_stand_at_two_strengths(host: ModelHost) -> None:
    base, off, full = texts(host, [BASE, Column("left", LEFT.adapter, 0.0), LEFT])
    assert base == off != full


def test_the_same_seed_gives_the_same_answer_and_another_seed_another(host: ModelHost) -> None:
    first, again, other = (texts(host, [LEFT], Sampling(max_new_tokens=16, seed=seed))[0] for seed in (3, 3, 4))
    assert first == again != other


def test_answers_grow_together_and_carry_full_stamps(host: ModelHost) -> None:
    steps = list(host.generate([BASE, LEFT], ask(QUESTION), GREEDY))
    assert len(steps) >= 2 and all(len(step) == 2 for step in steps)
    base, left = steps[-1]
    assert base.stamp.adapter_fingerprint == "" and base.stamp.strength == 0
    assert left.stamp.adapter_fingerprint == adapters.inspect(LEFT.adapter).fingerprint and left.stamp.strength == 1
    assert base.stamp.base_fingerprint == left.stamp.base_fingerprint and "Q4_1" in base.stamp.base
    assert left.stamp.max_new_tokens == 16 and left.finished == "length" and left.tokens == 16


def test_stop_ends_within_two_tokens_and_the_next_answer_is_right(host: ModelHost) -> None:
    stop, seen = threading.Event(), 0
    for answers in host.generate([BASE, LEFT], ask(QUESTION), Sampling(temperature=0, max_new_tokens=200), stop):
        if answers[0].finished == "" and not stop.is_set() and answers[0].tokens >= 5:
            seen = answers[0].tokens
            stop.set()
    assert answers[0].finished == "stopped" and answers[0].tokens <= seen + 2
    assert texts(host, [LEFT])[0].startswith(answers[1].text[:10])


class After(threading.Event):
    """Set from the so many-th look on."""

    def __init__(self, looks: int) -> None:
        super().__init__()
        self.looks = looks

    def is_set(self) -> bool:
        self.looks -= 1
        return self.looks < 0


def test_a_stop_ends_the_answer_within_two_tokens(host: ModelHost) -> None:
    long = Sampling(temperature=0, max_new_tokens=200)
    for rounded in (True, False):
        last = list(host.stream([Row(c, ask(QUESTION), 1) for c in (BASE, LEFT)], long, After(5), partial=False, rounded=rounded))[-1]
        assert [answer.finished for answer in last] == ["stopped"] * 2
        assert all(3 <= answer.tokens <= 7 for answer in last)


def test_visitors_share_one_answer_and_get_what_a_visitor_alone_gets(host: ModelHost) -> None:
    rows, shared = [Row(c, ask(QUESTION), 1) for c in (BASE, LEFT)], SharedAnswers(host)
    found: list[list[Update]] = []
    threads = [
        threading.Thread(target=lambda n=n: found.append(list(shared.ask(rows, GREEDY, threading.Event(), f"visitor {n}"))))
        for n in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    alone = list(host.stream(rows, GREEDY, partial=False, rounded=True))[-1]
    assert len(found) == 6 and all(list(one[-1].answers) == alone for one in found)
    assert sum(not one[-1].again for one in found) == 1 and all(one[-1].test and one[-1].test.passed for one in found)


def test_a_question_is_answered_while_a_long_measurement_goes_on(host: ModelHost) -> None:
    """A measurement asks the model again and again; whoever comes between is answered after what is in hand, not after all of it."""
    over, measured = threading.Event(), [0]

    def measure() -> None:
        while not over.is_set():
            host.answer_all([Row(BASE, ask(QUESTION), measured[0])], Sampling(max_new_tokens=8))
            measured[0] += 1

    thread = threading.Thread(target=measure)
    thread.start()
    try:
        for _ in range(3):
            before = measured[0]
            assert texts(host, [LEFT])[0]
            assert measured[0] - before <= 2
    finally:
        over.set()
        thread.join(60)


def test_a_reader_that_goes_away_frees_the_model(host: ModelHost) -> None:
    stream = host.generate([BASE], ask(QUESTION), Sampling(max_new_tokens=200))
    next(stream)
    stream.close()
    assert texts(host, [BASE])[0]


def test_the_self_test_runs_by_itself_after_an_adapter_and_passes(host: ModelHost) -> None:
    texts(host, [LEFT])
    assert host.last_test is not None and host.last_test.passed and host.last_test.difference <= 1e-4


@pytest.fixture
def fresh(model_home: Paths) -> ModelHost:
    return ModelHost(model_home)


def test_planted_corrupt_base_weights_fail_the_self_test_and_nothing_is_answered(fresh: ModelHost) -> None:
    import torch

    base = fresh.load()
    assert fresh.self_test().passed
    with torch.no_grad():
        base.model.model.layers[3].post_attention_layernorm.weight[:20].mul_(1.05)
    with pytest.raises(StudioError, match="no longer the base"):
        texts(fresh, [LEFT])
    expected = texts(fresh, [BASE, LEFT])
    assert expected[0], "the model is loaded afresh"
    with torch.no_grad():
        fresh.load().model.get_base_model().model.layers[3].post_attention_layernorm.weight.mul_(1.05)
    assert not fresh.self_test().passed
    assert texts(fresh, [BASE, LEFT]) == expected, "after a failed check nothing is answered by that model"
    assert fresh.last_test is not None and fresh.last_test.passed


def test_damaged_weights_on_disk_are_noticed_at_loading(model_home: Paths, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    home = Paths(tmp_path)
    target = prepare.converted_folder(home)
    shutil.copytree(prepare.converted_folder(model_home), target)
    weights = load_file(target / prepare.WEIGHTS)
    weights["model.layers.5.self_attn.v_proj.weight"] *= 1.2
    save_file(weights, target / prepare.WEIGHTS, metadata={"format": "pt"})
    with pytest.raises(StudioError, match="damaged"):
        ModelHost(home).load()


def test_a_generation_that_fails_never_reaches_the_next_request(fresh: ModelHost, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = texts(fresh, [BASE, LEFT])
    with monkeypatch.context() as patched:
        patched.setattr("pipelines.models.sampling.SharedNoise.draw", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            texts(fresh, [BASE, LEFT])
    assert texts(fresh, [BASE, LEFT]) == expected


def test_questions_that_cant_be_read_get_a_sentence(host: ModelHost) -> None:
    with pytest.raises(StudioError, match="too long"):
        host.answer_all([Row(BASE, ask("word " * 2000), 1)], GREEDY)
    with pytest.raises(StudioError, match="No column"):
        host.answer_all([], GREEDY)


def test_an_adapter_of_another_base_is_refused_and_leaves_the_model_whole(fresh: ModelHost, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    shutil.copytree(bundled.ADAPTERS / "left" / "adapter", tmp_path / "wide")
    tensors = {
        key: value.repeat(1, 2) if "lora_A" in key else value for key, value in load_file(tmp_path / "wide" / adapters.WEIGHTS).items()
    }
    save_file(tensors, tmp_path / "wide" / adapters.WEIGHTS)
    for _ in range(2):  # as the first adapter, and beside another one
        with pytest.raises(StudioError, match="does not fit|another base"):
            texts(fresh, [Column("wide", tmp_path / "wide")])
        assert texts(fresh, [BASE, LEFT])[0]
    assert fresh.self_test().passed


def test_a_stream_may_be_begun_in_one_thread_closed_in_another_and_the_next_answered_in_a_third(host: ModelHost) -> None:
    stream = host.generate([BASE], ask(QUESTION), Sampling(max_new_tokens=200))
    said: list[str] = []
    for work in (lambda: next(stream), stream.close, lambda: said.extend(texts(host, [BASE]))):
        thread = threading.Thread(target=work)
        thread.start()
        thread.join(60)
        assert not thread.is_alive()
    assert said and said[0]


def test_an_exchanged_bundled_adapter_is_refused(fresh: ModelHost, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(bundled.ADAPTERS, tmp_path / "adapters")
    shutil.copytree(tmp_path / "adapters" / "right" / "adapter", tmp_path / "adapters" / "left" / "adapter", dirs_exist_ok=True)
    monkeypatch.setattr(bundled, "ADAPTERS", tmp_path / "adapters")
    with pytest.raises(StudioError, match="exchanged"):
        texts(fresh, [Column("left", tmp_path / "adapters" / "left")])


def test_more_adapters_than_fit_into_one_batch_get_a_sentence(host: ModelHost) -> None:
    with pytest.raises(StudioError, match="At most"):
        texts(host, [Column(f"at {n}", LEFT.adapter, n / 10) for n in range(12)])
