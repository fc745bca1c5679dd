"""The questionnaire on the embedded model: what is computed once for all prompts changes nothing, and the gates tell the truth."""

import pytest
import torch

from pipelines import bundled
from pipelines.models.host import ModelHost
from pipelines.models.labels import first_tokens
from pipelines.records import Column
from pipelines.stance import survey
from pipelines.stance.forms import PAIRS, forms_of, prompts

LEFT = Column("left", bundled.ADAPTERS / "left")


def one_by_one(host: ModelHost, column: Column, text: str, labels: tuple[str, str]) -> tuple[float, float]:
    """The same by a plain forward pass of the library, one prompt at a time."""
    base = host.load()
    host.identity(column)
    ids = base.tokenizer(host.chat_prefix(text), return_tensors="pt", add_special_tokens=False).input_ids
    name = next(name for name in base.model.peft_config) if column.adapter else "__base__"
    options = {"adapter_names": [name]} if hasattr(base.model, "peft_config") else {}
    with torch.inference_mode():
        logs = base.model(input_ids=ids, **options).logits[0, -1].float().log_softmax(-1)
    agree, disagree = first_tokens(base.tokenizer, *labels)
    return float(logs[agree].logsumexp(0)), float(logs[disagree].logsumexp(0))


@pytest.mark.parametrize("column", (Column("base"), LEFT), ids=lambda column: column.name)
def test_batches_with_a_shared_beginning_give_what_single_passes_give(host: ModelHost, column: Column) -> None:
    form = forms_of("full")[0]
    asked = prompts(bundled.items("proposition")[:3], [form])
    scores = survey.scorer(host, column)(asked)
    for one, score in list(zip(asked, scores, strict=True))[::3]:
        assert (score.agree, score.disagree) == pytest.approx(one_by_one(host, column, one.text, form.pair), abs=2e-3)


@pytest.mark.parametrize("labels", PAIRS.values(), ids=PAIRS)
def test_the_labels_begin_with_tokens_of_their_own(host: ModelHost, labels: tuple[str, str]) -> None:
    agree, disagree = first_tokens(host.load().tokenizer, *labels)
    assert len(agree) >= 3 and len(disagree) >= 2 and not set(agree) & set(disagree)


def test_the_embedded_model_can_not_answer_a_questionnaire(host: ModelHost) -> None:
    items = bundled.items("proposition")[:8]
    found = survey.measure(survey.scorer(host, Column("base")), "base", items, bundled.items("sanity"), forms_of("quick"))
    assert not found.check["passed"] and found.check["facts"] < 10 and len(found.rows) == 8
    assert 0 < found.check["label_mass"] < 1 and all(len(row["forms"]) == 2 for row in found.rows)
