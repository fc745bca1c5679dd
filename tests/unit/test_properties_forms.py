"""Whatever a browser, or a program that calls the page's functions, sends into a settings form: a value or a sentence (StudioError).

The examples are the same in every run (derandomize); tests/drawn.py says how to look for others.
"""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.comparing import keys
from pipelines.comparing.prompts import PromptSet
from pipelines.corpus import columns
from pipelines.corpus.annotate import people
from pipelines.corpus.engine import check_settings
from pipelines.corpus.steps import registry
from pipelines.entries import is_blank, number, shown, whole_number
from pipelines.errors import LONGEST, StudioError
from pipelines.records import Sampling
from pipelines.review import marking, rounds
from pipelines.review.design import Design
from pipelines.stance import series_plan
from pipelines.tuning import groups
from pipelines.tuning.recipe import Recipe
from pipelines.tuning.run import Run
from pipelines.tuning.shelf import about
from studio.access import Access
from studio.tabs.comparing import mixing
from studio.tabs.comparing.answering import checked
from studio.tabs.comparing.forms import sampling_of
from studio.tabs.curating import forms
from studio.tabs.reviews import settingpage
from studio.tabs.reviews.settingpage import Form
from studio.tabs.reviews.visitor import Act, Kept
from studio.tabs.stances import series
from studio.tabs.tuning import expert
from tests.bad_inputs.names import DEALT, DESIGN, LISTED, PAIR
from tests.bad_inputs.plans import QUESTIONS
from tests.drawn import FEW, MANY, numbers, told, values, words

SERVICES: Any = SimpleNamespace(access=Access(), public=False, catalog=lambda: LISTED, paths=None)
USUAL = Form(
    "own",
    PromptSet("own", "own.csv", QUESTIONS[:12]),
    10,
    ["base", "left"],
    "Housing",
    "To see.",
    "research",
    3,
    ["economy"],
    30,
    "",
    72,
    1,
)
USED = Recipe()


@MANY
@given(st.sampled_from([one.name for one in fields(Sampling)]), values)
def test_any_lever_of_sampling_is_taken_in_its_range_or_refused(name: str, value: Any) -> None:
    made = told(lambda: Sampling(**{name: value}))
    if made is not None:
        low, high = (Sampling.__dataclass_fields__[name].metadata[limit] for limit in ("low", "high"))
        assert low <= getattr(made, name) <= high and type(made.seed) is int and type(made.max_new_tokens) is int
        assert not isinstance(getattr(made, name), bool)


@MANY
@given(st.lists(st.one_of(st.none(), numbers, values), min_size=4, max_size=4), st.booleans())
def test_any_values_in_the_form_of_sampling_are_one_or_a_sentence(levers: list[Any], greedy: bool) -> None:
    made = told(lambda: sampling_of([*levers, greedy]))
    assert made is None or (0 <= made.temperature <= 2 and type(made.seed) is int)


@MANY
@given(st.one_of(st.none(), words))
def test_any_question_is_read_as_it_is_or_refused(text: str | None) -> None:
    asked = told(lambda: checked(text, "question", 600))
    assert asked is None or (asked == (text or "").strip() and asked.encode() and not is_blank(asked))


@MANY
@given(st.sampled_from([one.name for one in fields(Recipe)]), st.one_of(values, numbers))
def test_any_value_in_the_expert_form_is_a_recipe_or_a_sentence(name: str, value: Any) -> None:
    made = told(lambda: expert.recipe([value if one.name == name else getattr(USED, one.name) for one in fields(Recipe)]))
    assert made is None or (made.hash and type(getattr(made, name)) is type(getattr(USED, name)))


@pytest.mark.parametrize("key", registry.STEPS)
@FEW
@given(data=st.data())
def test_any_values_in_the_form_of_a_step_are_its_settings_or_a_sentence(key: str, data: st.DataObject) -> None:
    step = registry.STEPS[key]
    given_values = [data.draw(st.one_of(st.none(), numbers, words, values)) for _ in forms.names(step)]
    made = told(lambda: forms.read(step, given_values))
    if made is not None:
        check_settings(made)
    told(lambda: registry.make(key, {data.draw(words): 1}))


@MANY
@given(st.sampled_from([one.name for one in fields(Form) if one.name != "own"]), st.one_of(numbers, st.none(), st.booleans()), words)
def test_any_value_in_the_form_of_a_review_is_a_plan_or_a_sentence(name: str, value: Any, text: str) -> None:
    """Each field with what its component may send: numbers and nothing, texts, or lists of texts."""
    kind = getattr(USUAL, name)
    sent = [text] if isinstance(kind, list) else text if isinstance(kind, str) else value
    form = Form(**{**vars(USUAL), name: sent})
    made = told(lambda: settingpage.designed(SERVICES, form))
    assert made is None or (isinstance(made, Design) and made.total > 0)
    assert isinstance(settingpage.prepared(SERVICES, form)["plan"], str)
    assert isinstance(settingpage.recalled(SERVICES, {name: value, "columns": [text], "title": text}), dict)


@MANY
@given(
    st.one_of(
        values,
        st.dictionaries(st.sampled_from(["act", "review", "item", "votes", "consent", "comment", "tokens", "receipts", "last"]), values),
    )
)
def test_whatever_a_raters_page_sends_is_an_act_of_plain_words(sent: Any) -> None:
    act, kept = Act.read(sent), Kept.read(sent)
    assert all(
        isinstance(one, str) for one in (act.name, act.review, act.item, act.comment, kept.last, *act.votes.values(), *kept.tokens.values())
    )
    told(lambda: marking.by_column(DESIGN, act.votes, PAIR))
    said = told(lambda: marking.cleaned(act.comment))
    assert said is None or said.encode() is not None


@MANY
@given(st.one_of(st.dictionaries(words, words), st.dictionaries(st.sampled_from("ABC"), st.sampled_from(["left", "right", "placebo"]))))
def test_any_guess_is_whole_or_refused(guess: dict[str, str]) -> None:
    made = told(lambda: DEALT.by_role(guess))
    assert made is None or sorted(made.values()) == ["left", "placebo", "right"]


@MANY
@given(words, st.one_of(numbers, values), st.one_of(numbers, values), st.one_of(st.just(""), words))
def test_any_marked_place_holds_words_of_the_answer_or_is_refused(text: str, start: Any, end: Any, seen: str) -> None:
    place = told(lambda: rounds.span(text, start, end, seen))
    assert place is None or place == (rounds.WHOLE, rounds.WHOLE) or text[place[0] : place[1]].strip()


@MANY
@given(
    st.one_of(st.none(), words, st.sampled_from(["left", "right"])),
    st.one_of(numbers, values),
    st.sampled_from(["", "left", "right"]),
    numbers,
)
def test_any_mixture_of_columns_is_a_key_or_a_sentence(first: Any, strength: Any, second: str, other: Any) -> None:
    _, said = mixing._add(LISTED, ["base"], first, strength, second, other)
    assert isinstance(said, str) and said
    made = told(lambda: keys.made((first, strength)))
    assert made is None or keys.canonical(made) == made or first is None or not isinstance(first, str) or "*" in first or "\n" in first


@MANY
@given(st.sampled_from([series.DOSE, series.COURSE, None, "x"]), st.one_of(words, st.none()), st.one_of(st.none(), st.just("left")))
def test_any_wish_for_a_series_is_one_or_a_sentence(kind: Any, strengths: Any, key: Any) -> None:
    wanted = told(lambda: series._wanted(key, kind, strengths, True, False))
    if wanted is not None and not wanted.by_step:
        told(lambda: series_plan.at_strengths("left", Path("left"), wanted.strengths))


@MANY
@given(words, st.one_of(numbers, values))
def test_any_group_of_runs_has_a_name_and_seeds_or_a_sentence(name: str, seeds: Any) -> None:
    found = told(lambda: groups.checked(name, seeds))
    assert found is None or (found.encode() is not None and 1 <= float(seeds) <= groups.MAX_SEEDS)


@FEW
@given(st.one_of(st.none(), values), st.one_of(st.none(), values), st.one_of(st.none(), values, st.lists(words)))
def test_any_words_about_a_run_are_kept_as_they_are_read_back_or_refused(tmp_path: Path, title: Any, note: Any, tags: Any) -> None:
    written = told(lambda: about.describe(Run(tmp_path), title, note, tags))
    assert written is None or about.about(Run(tmp_path)) == written


@FEW
@given(words)
def test_any_name_of_a_labeller_keeps_labels_or_is_refused(tmp_path: Path, name: str) -> None:
    kept = told(lambda: people.save_labels(tmp_path, name, {"1": {"economic": 1.0}}))
    assert kept is None or (kept.parent == tmp_path and people.load_labels(tmp_path, name) == {"1": {"economic": 1.0}})


@MANY
@given(
    st.one_of(st.none(), words, st.sampled_from(["posts", "pairs", "mirrored"])),
    st.dictionaries(st.sampled_from(["text", "prompt", "chosen", "x"]), words),
)
def test_any_choice_of_columns_is_roles_or_a_sentence(kind: Any, picked: dict[str, str]) -> None:
    roles = told(lambda: columns.assign(kind, picked, ["a", "b"]))
    assert roles is None or set(roles.columns.values()) <= {"a", "b", ""}


@MANY
@given(values)
def test_any_value_can_stand_in_a_sentence(value: Any) -> None:
    assert len(shown(value)) <= 80 and shown(value).isprintable()
    for judge in (whole_number, number):
        found = told(lambda judge=judge: judge(value, "It"))  # type: ignore[misc]
        assert found is None or found == found


@MANY
@given(words, st.integers(0, 3))
def test_a_sentence_reaches_the_page_whatever_stands_in_it(text: str, power: int) -> None:
    error = StudioError(text * 10**power, text * 10**power)
    f"{error}{error.message}{error.hint}".encode()
    assert max(len(error.message), len(error.hint)) <= LONGEST + 3
