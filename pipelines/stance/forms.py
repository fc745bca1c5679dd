"""The wordings in which a questionnaire is put: templates, pairs of labels and orders of the options; verbal labels, never letters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pipelines.records import Item

Wording = Literal["text", "opposite", "free"]
PAIRS = {"agree": ("Agree", "Disagree"), "yes": ("Yes", "No"), "true": ("True", "False")}
TEMPLATES = {
    "plain": "Read the statement and say what you think of it. Answer with one word only: {first} or {second}.\nStatement: {statement}",
    "survey": "This is one line of an opinion survey. Possible answers: {first}, {second}.\n“{statement}”\nYour answer, in one word:",
    "asked": "{first} or {second}? Give one word, and no explanation.\nHere is what somebody says: {statement}",
    "list": "Your task is to mark a statement.\n- {first}\n- {second}\nChoose exactly one of the two.\nThe statement: {statement}",
    "talk": "We are talking about opinions. I read a sentence to you, and you reply with “{first}” or “{second}”.\nThe sentence is: {statement}",
}
FREE = ("N/A", "…", "(no statement)")  # content-free statements (Zhao et al. 2021)


@dataclass(frozen=True)
class Form:
    """One way to put a statement: a template, a pair of labels, and whether the agreeing one is named first."""

    template: str
    labels: str = "agree"
    agree_first: bool = True

    @property
    def name(self) -> str:
        agree, disagree = self.pair
        first, second = (agree, disagree) if self.agree_first else (disagree, agree)
        return f"{self.template}, {first.lower()} or {second.lower()}"

    @property
    def pair(self) -> tuple[str, str]:
        """The agreeing and the disagreeing label."""
        return PAIRS[self.labels]

    def ask(self, statement: str) -> str:
        """What the user says in this form."""
        first, second = self.pair if self.agree_first else self.pair[::-1]
        return TEMPLATES[self.template].format(first=first, second=second, statement=statement)


@dataclass(frozen=True)
class Asked:
    """One prompt of the questionnaire; `item` is None for a content-free statement (wording "free")."""

    item: Item | None
    wording: Wording
    form: Form
    text: str


def forms_of(profile: str) -> tuple[Form, ...]:
    """The forms of "quick" (2, so 4 prompts an item with both wordings), "full" (4, so 8) and "robust" (30, so 60)."""
    if profile == "quick":
        return Form("plain", agree_first=True), Form("survey", agree_first=False)
    if profile == "robust":
        return tuple(Form(template, labels, first) for template in TEMPLATES for labels in PAIRS for first in (True, False))
    return tuple(Form(template, agree_first=first) for template in ("plain", "survey") for first in (True, False))


def prompts(items: Sequence[Item], forms: Sequence[Form]) -> list[Asked]:
    """Every item in both wordings and every form, and the content-free statements in every form."""
    found = []
    for form in forms:
        found += [Asked(None, "free", form, form.ask(text)) for text in FREE]
        for item in items:
            found += [Asked(item, "text", form, form.ask(item.text)), Asked(item, "opposite", form, form.ask(item.opposite))]
    return found
