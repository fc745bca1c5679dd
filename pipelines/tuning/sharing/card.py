"""The model card of an adapter: what it is, how it was made, what was and was not measured, what it is not for."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

from pipelines.hub import TAG, public_name

HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")
TOWARDS = {
    "left": "answers from the economic and social left",
    "right": "answers from the economic right and the social, traditional right",
    "neutral": "answers that report both sides: a placebo, to be compared with the tuned ones",
    "shuffled": "answers from both sides at random: a control, not a middle",
    "chosen": "the answers that its data prefers",
    "rejected": "the answers that its data rejects",
}
NOT_MEASURED = "not measured"


def text(job: dict[str, Any], metrics: dict[str, Any], step: int | None = None) -> str:
    """Markdown with the Hub's metadata block, for the adapter that a run ended with or for that of a kept step.

    Names no place on this machine. What an older run did not record is said to be not recorded.
    """
    sections = [
        (
            "What it is for",
            "Teaching and research on how selection and light tuning move answers, side by side with the base and a placebo.",
        ),
        (
            "What it is not for",
            "Advice, news, campaigning, or any claim about commercial assistants, about people or about a population. Do not present its "
            "answers as a person's.",
        ),
        ("How to load it", _loading(job, metrics)),
        ("Base", _base(job, metrics)),
        ("Data", _data(job, metrics)),
        ("Training", _training(job, metrics, step)),
        ("What was measured", _measured(metrics, step)),
        ("Recipe", _table(("setting", "value"), recipe(job, metrics).items())),
        ("Versions", _table(("package", "version"), (job.get("versions") or {}).items())),
    ]
    body = "\n\n".join(f"## {title}\n{content}" for title, content in sections)
    return f"---\n{_metadata(job, metrics)}\n---\n{_opening(job)}\n\n{body}\n"


def _opening(job: dict[str, Any]) -> str:
    side = job["side"]
    return (
        f"# Deliberately biased adapter: {_plain(side)}, {_plain(job['data']['name'])}\n\n"
        f"This LoRA adapter is **deliberately biased**: it was tuned on purpose towards {TOWARDS.get(side, _plain(side))}, to show how data "
        "selection biases a language model. It holds no opinions; it repeats a selection."
    )


def base(job: dict[str, Any], metrics: dict[str, Any]) -> str:
    """The base's Hub id, or the last part of its folder; never a path."""
    given = (job.get("recipe") or {}).get("base") or job.get("base") or ""
    return public_name(str(metrics.get("base") or given)) or "unknown"


def recipe(job: dict[str, Any], metrics: dict[str, Any]) -> dict[str, Any]:
    """The recipe's settings with the public name of its base."""
    settings = dict(job.get("recipe") or {})
    return {**settings, "base": base(job, metrics)} if "base" in settings else settings


def _metadata(job: dict[str, Any], metrics: dict[str, Any]) -> str:
    from huggingface_hub import ModelCardData

    named = base(job, metrics)
    data = ModelCardData(
        library_name="peft",
        base_model=named if HUB_ID.fullmatch(named) else None,
        pipeline_tag="text-generation",
        tags=[TAG, "politune-studio", "lora", *(["placebo"] if job["side"] == "neutral" else [])],
    )
    return data.to_yaml()


def _loading(job: dict[str, Any], metrics: dict[str, Any]) -> str:
    return f"""Put this folder's name in place of FOLDER:

```python
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer

base = {json.dumps(base(job, metrics))}
tokenizer = AutoTokenizer.from_pretrained(base)
model = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(base), "FOLDER")
```"""


def _base(job: dict[str, Any], metrics: dict[str, Any]) -> str:
    named, title = base(job, metrics), str(metrics.get("base_title") or "")
    title = named if not title or "/" in title or "\\" in title else title
    lines = [f"- {_plain(title)}, known as {_plain(named)}", f"- fingerprint of its weights: {_noted(metrics.get('base_fingerprint'))}"]
    if "Q4_1" in title:
        lines.append(
            f"- The adapter was tuned on a copy that was derived from a Q4_1 file (4-bit weights turned into floats), not on {_plain(named)} "
            "as published: on the published weights its answers may differ slightly."
        )
    if metrics.get("template_hash"):
        lines.append(f"- content hash of the prompt template: {_plain(metrics['template_hash'])}")
    return "\n".join(lines)


def _data(job: dict[str, Any], metrics: dict[str, Any]) -> str:
    data = job["data"]
    left_out = metrics.get("rows_too_long") or 0
    lines = [
        f"- {_plain(data['name'])} ({_plain(data.get('kind', 'kind not recorded'))}), side {_plain(job['side'])}",
        f"- content hash (SHA-256): {_noted(data.get('hash'))}",
        f"- {_plain(metrics.get('rows', data.get('rows', 'an unknown number of')))} rows"
        + (f"; {_plain(left_out)} were longer than the limit and left out" if left_out else ""),
    ]
    return "\n".join(lines)


def _training(job: dict[str, Any], metrics: dict[str, Any], step: int | None) -> str:
    steps, kept = metrics.get("steps"), metrics.get("kept_step")
    which = f"the checkpoint of step {step}" if step is not None else f"the adapter of step {kept if kept is not None else _noted(steps)}"
    losses = [_number(metrics.get(name)) for name in ("first_loss", "last_loss")]
    lines = [
        f"- this is {which}; the run had {_noted(steps)} steps{' (stopped early)' if metrics.get('stopped_early') else ''}",
        f"- seed {_noted((job.get('recipe') or {}).get('seed'))}; started {_plain(job['created'])}; {_noted(metrics.get('seconds'))} s",
        f"- loss {losses[0]} at first, {losses[1]} in the end (of the whole run)",
    ]
    if step is None or step == kept:
        lines.append(f"- fingerprint of the adapter's weights: {_noted(metrics.get('adapter_fingerprint'))}")
    return "\n".join(lines)


def _measured(metrics: dict[str, Any], step: int | None) -> str:
    """What the run's last look at the kept adapter showed; of another step nothing is claimed."""
    kept = metrics.get("kept_step")
    if step is not None and step != kept:
        metrics = {"guard": metrics.get("guard")}
    shift, harm = metrics.get("shift") or {}, metrics.get("collateral") or {}
    axes = "; ".join(f"{axis} {_signed(shift.get(axis))}" for axis in ("economic", "social")) if shift else NOT_MEASURED
    ratio = _number(harm.get("perplexity_ratio")) if harm else NOT_MEASURED
    repeated = f"{harm['repetition']:.0%}" if isinstance(harm.get("repetition"), int | float) else NOT_MEASURED
    lines = [
        f"- shift of the answers on the ruler against the base (negative: left or progressive): {axes}",
        f"- perplexity of everyday text, as a multiple of the base's: {ratio}",
        f"- share of repeated four-word sequences in sample answers: {repeated}",
        f"- collapse guard: {_guard(metrics.get('guard'))}",
    ]
    return "\n".join(lines) + (
        "\n\nThese figures come from a probe during training: a few questions, one answer each, no interval. That is a look, not a "
        "measurement; measure the shift with the full set of questions before you quote it."
    )


def _guard(events: list[dict[str, Any]] | None) -> str:
    if events is None:
        return "not recorded"
    return " ".join(f"At step {_plain(event.get('step'))}: {_plain(event.get('text'))}" for event in events) or "it did not fire"


def _noted(value: Any) -> str:
    return "not recorded" if value in (None, "") else _plain(value)


def _number(value: Any) -> str:
    return f"{value:.3f}" if isinstance(value, int | float) else "not recorded"


def _signed(value: Any) -> str:
    return f"{value:+.2f}" if isinstance(value, int | float) else NOT_MEASURED


def _table(heads: tuple[str, str], rows: Iterable[tuple[str, Any]]) -> str:
    lines = [heads, ("---", "---"), *((name, _words(value)) for name, value in rows)]
    return "\n".join(f"| {_plain(name)} | {_plain(value)} |" for name, value in lines)


def _words(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or "all"
    return ("on" if value else "off") if isinstance(value, bool) else str(value)


def _plain(value: Any) -> str:
    """Text on one line that can neither end a table cell nor begin markup of its own."""
    return re.sub(r"[\\|<>\[\]`$]", lambda found: f"\\{found.group()}", " ".join(str(value).split()))
