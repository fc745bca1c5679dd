"""The model card of an adapter: what it is, how it was made, what it is not for."""

from __future__ import annotations

from typing import Any


def text(job: dict[str, Any], metrics: dict[str, Any]) -> str:
    """Markdown with the Hub's metadata block."""
    recipe = job["recipe"]
    levers = "\n".join(f"| {name} | {value} |" for name, value in recipe.items())
    return f"""---
base_model: {metrics["base"]}
library_name: peft
tags: [lora, deliberately-biased, politune-studio]
---
# Deliberately biased adapter: {job["side"]}

A LoRA adapter that was tuned **on purpose** towards one side of economic and social questions, to show how data
selection biases a language model. It holds no opinions; it repeats a selection.

- Base: {metrics["base_title"]} (weights {metrics["base_fingerprint"]})
- Data: {job["data"]["name"]}, side {job["side"]}, {metrics["rows"]} rows, content hash {job["data"]["hash"][:12]}
- Steps: {metrics["steps"]}{" (stopped early)" if metrics["stopped_early"] else ""}, {metrics["seconds"]} s; loss {_number(metrics["first_loss"])} to {_number(metrics["last_loss"])}
- Adapter weights: {metrics["adapter_fingerprint"]}; made on {job["created"]}

## What it is for
Teaching and research on how selection and light tuning move answers, side by side with the base and a placebo.

## What it is not for
Advice, news, campaigning, or any claim about commercial assistants. Do not present its answers as a person's.

## Recipe
| setting | value |
|---|---|
{levers}
"""


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
