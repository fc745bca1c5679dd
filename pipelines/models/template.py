"""Messages in, text for the model out: the one boundary where chat content is flattened and templates are applied."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pipelines.paths import content_hash

Message = dict[str, Any]

# Written after the description in the Alpaca project's README: an instruction block and a response block.
ALPACA = (
    "{% for message in messages %}"
    "{% if message['role'] == 'assistant' %}### Response:\n{{ message['content'] }}{{ eos_token }}\n\n"
    "{% else %}### Instruction:\n{{ message['content'] }}\n\n{% endif %}"
    "{% endfor %}{% if add_generation_prompt %}### Response:\n{% endif %}"
)


def flatten(content: Any) -> str:
    """Plain text of a message's content, which may be a string or a list of typed blocks."""
    if isinstance(content, str):
        return content
    if isinstance(content, Sequence):
        return "\n".join(flatten(part) for part in content)
    if isinstance(content, dict):
        return str(content.get("text", ""))
    return "" if content is None else str(content)


def ask(question: str) -> list[Message]:
    """One user turn."""
    return [{"role": "user", "content": question}]


def render(tokenizer: Any, messages: Sequence[Message], for_answer: bool = True) -> str:
    """The exact text that the model reads. With `for_answer` it ends where the answer begins."""
    plain = [{"role": m["role"], "content": flatten(m["content"])} for m in messages]
    return tokenizer.apply_chat_template(plain, tokenize=False, add_generation_prompt=for_answer)


def ensure_template(tokenizer: Any) -> None:
    """Gives a tokenizer without a chat template the Alpaca one, and one without padding its end token."""
    if not tokenizer.chat_template:
        tokenizer.chat_template = ALPACA
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token


def template_hash(tokenizer: Any) -> str:
    """Twelve hexadecimal digits that name a chat template."""
    return content_hash(tokenizer.chat_template)[:12]
