"""The model: its files damaged, cut off or half made; memory that runs out and errors in one request while others wait."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any
from unittest.mock import patch

from pipelines import bundled
from pipelines.models import adapters, prepare
from pipelines.models.catalog import LANGUAGE_MODEL
from pipelines.models.header import read_shapes
from pipelines.models.host import ModelHost, Row
from pipelines.models.template import ask
from pipelines.paths import atomic_folder, file_hash, write_json
from pipelines.records import Column, Sampling
from tests import adapter_files
from tests.faults import making
from tests.faults.fault import Fault, Scene, digest
from tests.tiny import make_tiny_model

DRAWN = Sampling(temperature=1.0, top_p=1.0, max_new_tokens=12, seed=7)
POISON = 666  # the seed of the request in which something goes wrong


def convert(gguf: Path, target: Path, progress: prepare.Progress) -> None:
    """Makes the converted model as the studio does, of a model of two layers instead of the packaged one."""
    with atomic_folder(target) as folder:
        shutil.copytree(_tiny(), folder, dirs_exist_ok=True)


@cache
def _tiny() -> Path:
    from transformers import AutoModelForCausalLM

    from pipelines.models.loading import load_tokenizer

    folder = make_tiny_model(Path(mkdtemp()) / "tiny")
    prepare.save_reference(AutoModelForCausalLM.from_pretrained(folder), load_tokenizer(folder), folder)
    write_json(
        folder / prepare.ORIGIN, {"sha256": bundled.checksums()[LANGUAGE_MODEL.name], "weights_sha256": file_hash(folder / prepare.WEIGHTS)}
    )
    return folder


@contextmanager
def studio(scene: Scene) -> Iterator[Callable[[], ModelHost]]:
    """Makes model hosts as a studio has that was just started."""
    with patch.object(prepare, "_convert", convert):
        yield lambda: ModelHost(scene.paths)


def answers(host: ModelHost, seed: int = 7, columns: tuple[Column, ...] = (Column("base"),)) -> list[str]:
    return [one.text for one in host.answer_all([Row(column, ask("Who pays?"), seed) for column in columns], DRAWN)]


def _begun(scene: Scene, make: Callable[[], ModelHost]) -> tuple[Path, list[str]]:
    """The converted model's weights, and what the base answers."""
    making.version(scene)
    host = make()
    said = answers(host)
    assert said[0] and host.self_test().passed
    return prepare.converted_folder(scene.paths) / prepare.WEIGHTS, said


def _place(weights: Path, name: str, byte: int) -> int:
    """Where a byte of a tensor stands: of four, the first matters least, and the last holds sign and exponent."""
    data = weights.read_bytes()
    header = int.from_bytes(data[:8], "little")
    at = json.loads(data[8 : 8 + header])[name]["data_offsets"][0]
    return 8 + header + at + byte


def _flipped(weights: Path, place: int) -> None:
    data = bytearray(weights.read_bytes())
    data[place] ^= 0x40
    weights.write_bytes(data)


def _a_byte(scene: Scene) -> Iterator[None]:
    with studio(scene) as make:
        weights, said = _begun(scene, make)
        _flipped(weights, _place(weights, "model.norm.weight", 15))
        scene.tell(lambda: answers(make()))
        yield
        scene.goes_on("the model is made again and answers as before", answers(make()) == said)


def _an_unseen_byte(scene: Scene) -> Iterator[None]:
    with studio(scene) as make:
        weights, said = _begun(scene, make)
        _flipped(weights, _place(weights, "model.norm.weight", 12))
        yield
        scene.goes_on("the model is made again and answers as before", answers(make()) == said)


def _cut_off(scene: Scene) -> Iterator[None]:
    from studio.telling import told

    with studio(scene) as make:
        weights, said = _begun(scene, make)
        weights.write_bytes(weights.read_bytes()[: weights.stat().st_size // 2])
        scene.tell(lambda: answers(make()), told)
        yield
        scene.goes_on("the model is made again and answers as before", answers(make()) == said)


def _half_made(scene: Scene) -> Iterator[None]:
    with studio(scene) as make:
        weights, said = _begun(scene, make)
        (weights.parent / prepare.ORIGIN).unlink()
        (weights.parent / "tokenizer.json").unlink()
        left = weights.parent.with_name(f".{weights.parent.name}.0123abcd.tmp")
        left.mkdir()
        (left / "config.json").write_text("{")
        yield
        scene.goes_on("the next start makes the model again, which answers as before", answers(make()) == said)


@contextmanager
def poisoned(error: BaseException) -> Iterator[None]:
    """Raises in the middle of each answer that is drawn with the seed POISON."""
    from pipelines.models.sampling import SharedNoise

    real, steps = {name: getattr(SharedNoise, name) for name in ("draw", "__call__")}, [0]

    def broken(name: str) -> Callable[..., Any]:
        def draw(self: SharedNoise, *values: Any) -> Any:
            steps[0] += POISON in self.seeds
            if POISON in self.seeds and steps[0] > 3:
                raise error
            return real[name](self, *values)

        return draw

    with patch.object(SharedNoise, "draw", broken("draw")), patch.object(SharedNoise, "__call__", broken("__call__")):
        yield


def _columns(scene: Scene) -> tuple[Column, ...]:
    return Column("base"), Column("left", adapter_files.write_adapter(scene.folder / "left"))


def _memory(scene: Scene) -> Iterator[None]:
    from studio.telling import told

    with studio(scene) as make:
        making.version(scene)
        host, columns = make(), _columns(scene)
        said = answers(host, 7, columns)
        assert said[0] != said[1], "the adapter changes the answer"
        scene.confirm("the model's files", lambda: digest(prepare.converted_folder(scene.paths)))
        with poisoned(RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 99999999 bytes.")):
            scene.tell(lambda: answers(host, POISON, columns), told)
        yield
        scene.goes_on("the next answers are right", answers(host, 7, columns) == said)
        scene.goes_on("the base is the base", host.self_test().passed and answers(host) == said[:1])


def _one_of_many(scene: Scene) -> Iterator[None]:
    from studio.telling import told

    with studio(scene) as make:
        making.version(scene)
        host, columns = make(), _columns(scene)
        wanted = {seed: answers(host, seed, columns) for seed in (1, 2, 3, 4)}
        found: dict[int, Any] = {}

        def visit(seed: int) -> None:
            try:
                found[seed] = answers(host, seed, columns)
            except Exception as error:
                found[seed] = error

        visitors = [threading.Thread(target=visit, args=(seed,)) for seed in (1, 2, POISON, 3, 4)]
        with poisoned(ValueError("an error of one request")):
            for one in visitors:
                one.start()
            for one in visitors:
                one.join(60)
        scene.tell(lambda: told(found[POISON]) if isinstance(found[POISON], Exception) else "no error")
        assert {seed: text for seed, text in found.items() if seed != POISON} == wanted, "others got other answers"
        yield
        scene.goes_on("the others got their answers, and the next one is right", answers(host, 1, columns) == wanted[1])
        scene.goes_on("the base is the base", host.self_test().passed)


def _adapter_under_way(scene: Scene) -> Iterator[None]:
    with studio(scene) as make:
        making.version(scene)
        host, columns = make(), _columns(scene)
        said = answers(host, 7, columns)
        scene.confirm("the model's files", lambda: digest(prepare.converted_folder(scene.paths)))
        kept = columns[1].adapter
        assert kept and read_shapes(kept / adapters.WEIGHTS, lambda name, shape: None)
        whole = (kept / adapters.WEIGHTS).read_bytes()
        (kept / adapters.WEIGHTS).write_bytes(whole[:-50])
        scene.tell(lambda: answers(host, 7, columns))
        assert answers(host) == said[:1], "the base answers all the same"
        yield
        (kept / adapters.WEIGHTS).write_bytes(whole)
        scene.goes_on("put back, it answers as before", answers(host, 7, columns) == said)


FAULTS = [
    Fault("a byte of the model's weights is changed", _a_byte, "no longer answers as it did", "converted model", models=True),
    Fault("a byte of the model's weights is changed that matters little", _an_unseen_byte, "", "converted model", models=True),
    Fault("the model's weights are cut off", _cut_off, "SafetensorError", "converted model", models=True),
    Fault("the converted model is half made", _half_made, models=True),
    Fault("memory runs out in the middle of an answer", _memory, "not enough memory"),
    Fault("an error in one request while others wait", _one_of_many, "broke off"),
    Fault("an adapter is cut off while it is loaded", _adapter_under_way, "can't be read (cut off"),
]
