"""What other people's machines send: adapters as zip files and folders, replies of endpoints, addresses and keys."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from pipelines.corpus.annotate import prompts
from pipelines.endpoints.chat import ChatClient, _read
from pipelines.endpoints.failures import Failed, address
from pipelines.models import adapters
from pipelines.paths import Paths
from pipelines.tuning.sharing import archive, exchange
from tests.adapter_files import write_adapter
from tests.bad_inputs.trial import Said, Taken, Trial, files, places, table
from tests.model.test_hostile_adapters import HOSTILE, A, entry, header, raw, settings
from tests.unit import test_exchange as packing

MORE = {
    "an alpha of 400 digits": (settings(lora_alpha=10**400), "alpha"),
    "a type that is a list": (raw(header({A: {**entry([4, 32]), "dtype": []}})), "of the type"),
}
NEED_A_MODEL = ("layers of another width", "layers that the base lacks", "numbers that are none", "numbers without end")
HALF = "\ud800"


def _inspected(make: Callable[[Path], Any]) -> Callable[[Path], Any]:
    def attempt(folder: Path) -> Any:
        make(folder / "it")
        return adapters.inspect(folder / "it").base_id

    return attempt


def _brought(files: dict[str, Any], change: Any = None) -> Callable[[Path], Any]:
    def attempt(folder: Path) -> Any:
        whole = {**packing.good_files(folder), **files}
        packed = packing.pack(folder / "it.zip", whole, change) if change else packing.pack(folder / "it.zip", whole)
        return exchange.bring_in(packed, Paths(folder / "home"), packing.FACTS).warning

    return attempt


ADAPTERS = [
    *(Trial("adapter", cause, _inspected(make), Said(reason, True)) for cause, (make, reason) in {**HOSTILE, **MORE}.items() if cause not in NEED_A_MODEL),
    *(Trial("adapter zip", cause, _brought(more), Said(reason, True)) for cause, (more, reason) in packing.EXTRA.items()),
    *(Trial("adapter zip", cause, _brought({}, change), Said(reason, True)) for cause, (change, reason) in packing.CHANGED.items()),
    Trial("adapter zip", "two files more that are idle", _brought({"LICENSE": b"x", "notes.txt": b"x"}), Taken(f"It was tuned on owner/tiny, but it does not say on which weights; here are {'b' * 12}. Weights from the Hub and from a Q4_1 file differ slightly, and so may answers.")),
]  # fmt: skip


def _zip(path: Path) -> Any:
    return exchange.bring_in(path, Paths(path.parent / "home"), packing.FACTS)


def _linked(folder: Path) -> Path:
    (folder / "link.zip").symlink_to(write_adapter(folder / "it"))
    return folder / "link.zip"


ZIPS = files(
    "adapter zip",
    _zip,
    "it.zip",
    {
        "an empty file": (b"", "can't be unpacked"),
        "rubble": (b"PK rubble", "is no zip file"),
        "a gzip file": (b"\x1f\x8b" + bytes(100), "can't be unpacked"),
        "a text": ("adapter", "can't be unpacked"),
        "an empty zip": (b"PK\x05\x06" + bytes(18), "holds 0 adapters"),
        "a link instead of the file": (_linked, "is a link, which may lead anywhere"),
    },
) + [one for one in places("adapter zip", _zip, ".zip", "neither a zip file nor a folder") if "a folder" not in one.cause]
ABOUT = files(
    "studio.json",
    archive.read_about,
    "studio.json",
    {
        "not UTF-8": (b"\xff", "can't be read"),
        "a list": ("[]", "can't be read"),
        "nested without end": ("[" * 100_000, "can't be read"),
        "more than a megabyte": ('{"a": "' + "x" * (1 << 20) + '"}', "can't be read"),
        "half a character and a line break": ('{"side": "left\\ud800\\n"}', Taken({"side": "left??"})),
    },
)


def _annotated(reply: str, folder: Path) -> Any:
    return prompts.annotation(reply).problem.partition(": ")[2]


GOOD = '{"economic": 1.5, "social": null, "quality": 3, "topic": "none"}'
REPLIES = table(
    "annotation reply",
    _annotated,
    {
        "nothing": ("", Taken("the reply is empty")),
        "words only": ("I can't judge that.", Taken("no JSON object in the reply")),
        "a list": ("[1, 2]", Taken("no JSON object in the reply")),
        "an object cut off": (GOOD[:-1], Taken("no JSON object in the reply")),
        "two objects": (GOOD + GOOD, Taken("2 JSON objects in the reply, not one")),
        "a missing key": ('{"economic": 1}', Taken("social: field required")),
        "a number in quotes": (GOOD.replace("1.5", '"1.5"'), Taken("economic: input should be a valid number")),
        "NaN": (GOOD.replace("1.5", "NaN"), Taken("economic: input should be a finite number")),
        "infinity": (GOOD.replace("1.5", "1e999"), Taken("economic: input should be a finite number")),
        "a score of 11": (GOOD.replace("1.5", "11"), Taken("economic: input should be less than or equal to 10")),
        "True": (GOOD.replace("1.5", "true"), Taken("economic: input should be a valid number")),
        "5,000 digits": (GOOD.replace("1.5", "9" * 5_000), Taken("no JSON object in the reply")),
        "an unknown topic": (GOOD.replace("none", "weather"), Taken("topic: value error, “weather” is not in the list of topics")),
        "a topic of half a character": (GOOD.replace("none", "\\ud800"), Taken("half a character stands in the reply")),
        "nested without end": ('{"a": ' * 4_000, Taken("no JSON object in the reply")),
        "a megabyte of thoughts without end": ("<think>" * 150_000, Taken("no JSON object in the reply")),
        "thoughts before the object": (f"<think>{'{' * 99}</think>{GOOD}", Taken("")),
        "an object after 20,000 letters": ("x" * 20_000 + GOOD, Taken("no JSON object in the reply")),
    },
)


def _completed(reply: Any, folder: Path) -> str:
    try:
        return _read(reply).text
    except Failed as error:
        return str(error)


def _choice(**message: Any) -> Any:
    return SimpleNamespace(choices=[SimpleNamespace(message=SimpleNamespace(**message), finish_reason=None)])


NO_COMPLETION, NOTHING = "the endpoint's reply is no chat completion; does the address end with /v1?", "the model replied with nothing"
COMPLETIONS = table(
    "endpoint's reply",
    _completed,
    {
        "a text": ("hello", Taken(NO_COMPLETION)),
        "nothing": (None, Taken(NO_COMPLETION)),
        "no choices": (SimpleNamespace(choices=[]), Taken(NO_COMPLETION)),
        "choices that are a text": (SimpleNamespace(choices="abc"), Taken(NO_COMPLETION)),
        "choices that are a mapping": (SimpleNamespace(choices={"a": 1}), Taken(NO_COMPLETION)),
        "a choice of nothing": (SimpleNamespace(choices=[None]), Taken(NO_COMPLETION)),
        "a choice without a message": (SimpleNamespace(choices=[SimpleNamespace(message=None)]), Taken(NO_COMPLETION)),
        "a message without content": (_choice(role="assistant"), Taken(NOTHING)),
        "content that is a list": (_choice(content=["a"]), Taken(NOTHING)),
        "blank content": (_choice(content=" \n"), Taken(NOTHING)),
        "half a character": (_choice(content=f"a{HALF}"), Taken("a?")),
    },
)

ADDRESSES = table(
    "endpoint's address",
    lambda text, folder: address(text),
    {
        "nothing": ("", "is not the address of an endpoint"),
        "no host": ("http://", "is not the address of an endpoint"),
        "no scheme": ("example.org/v1", "is not the address of an endpoint"),
        "a file": ("file:///etc/passwd", "is not the address of an endpoint"),
        "a script": ("javascript:alert(1)", "is not the address of an endpoint"),
        "a space inside": ("http://example .org/v1", "is not the address of an endpoint"),
        "a line break inside": ("http://example.org/\nv1", "is not the address of an endpoint"),
        "a port of 99999": ("http://example.org:99999/v1", "is not the address of an endpoint"),
        "a port that is a word": ("http://example.org:http/v1", "is not the address of an endpoint"),
        "half an IPv6 address": ("http://[::1/v1", "is not the address of an endpoint"),
        "a name and a password": ("http://me:secret@example.org/v1", "holds a password or a query"),
        "a query": ("http://example.org/v1?key=secret", "holds a password or a query"),
        "a fragment": ("http://example.org/v1#secret", "holds a password or a query"),
        "half a character": (f"http://exa{HALF}mple.org/v1", "is not the address of an endpoint"),
        "a megabyte": ("http://" + "x" * 1_000_000, "is not the address of an endpoint"),
        "NUL": ("http://exam\x00ple.org/v1", "is not the address of an endpoint"),
    },
) + table(
    "endpoint form",
    lambda given, folder: ChatClient("http://example.org/v1", *given, cache_folder=folder).model,
    {
        "no model": (("  ", None), "No model is named"),
        "a key with a line break": (("m", "sk\nx"), "characters that no key has"),
        "a key that is a picture": (("m", "🔑"), "characters that no key has"),
        "a model with half a character": ((HALF, None), "can't be the name of a model"),
        "a model of a megabyte": (("x" * 1_000_000, None), "can't be the name of a model"),
    },
)

TRIALS = [*ADAPTERS, *ZIPS, *ABOUT, *REPLIES, *COMPLETIONS, *ADDRESSES]
