"""Broken and hostile plans and words of people: codebooks, plans of reviews, groups of runs, sample questions, titles, notes, names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pipelines.comparing.prompts import Prompt
from pipelines.corpus.annotate import people
from pipelines.review import codebook
from pipelines.review.design import ASKED, Design
from pipelines.tuning import groups, runs
from pipelines.tuning.recipe import Recipe
from pipelines.tuning.run import Run
from pipelines.tuning.shelf import about
from tests.bad_inputs.recipes import BIDI, BOMB, HALF, HUGE, NAN, UNSEEN
from tests.bad_inputs.trial import files, places, sparse, table

BOOK = "version: 1\ncodes:\n- {{id: {id}, name: {name}, definition: {definition}}}\n"


def _book(id: str = "a", name: str = "A", definition: str = "Says A.") -> str:
    return BOOK.format(id=id, name=name, definition=definition)


def _codes(count: int) -> str:
    return "version: 1\ncodes:\n" + "".join(f"- {{id: c{n}, name: C{n}, definition: D}}\n" for n in range(count))


CODEBOOKS = files(
    "codebook",
    lambda path: codebook.read_yaml(path).version,
    "book.yaml",
    {
        "an empty file": ("", "This is no codebook"),
        "not UTF-8": (b"\xff\xfe\x00", "can't be read"),
        "more than 128 kB": (sparse("book.yaml", codebook.MAX_FILE_BYTES + 1), "can't be read"),
        "a list": ("- a\n", "This is no codebook"),
        "an unknown part": ("version: 1\ncodes: []\nowner: me\n", "This is no codebook"),
        "no codes": ("version: 1\ncodes: []\n", "with 0 codes"),
        "61 codes": (_codes(61), "with 61 codes"),
        "codes that are numbers": ("version: 1\ncodes: [1]\n", "Code 1 of the codebook is no list"),
        "a version that is a word": (_book().replace("version: 1", "version: one"), "a version that is no number"),
        "a version of yes": (_book().replace("version: 1", "version: yes"), "a version that is no number"),
        "version 0": (_book().replace("version: 1", "version: 0"), "a version that is no number"),
        "a version of 5,000 hexadecimal digits": (_book().replace("version: 1", "version: 0x" + "f" * 5_000), "a version that is no number"),
        "a switch that is none": ("version: !!bool perhaps\ncodes: []", "can't be read"),
        "aliases that fill the memory": (BOMB, "can't be read"),
        "a code without a definition": ("version: 1\ncodes: [{id: a, name: A}]\n", "has no definition"),
        "a code with something else": ("version: 1\ncodes: [{id: a, name: A, definition: D, colour: red}]\n", "something called colour"),
        "an id with spaces": (_book(id="two words"), "can't be the id of a code"),
        "an id that is a list": (_book(id="[1]"), "no usable text as id"),
        "a name of zero-width characters": (_book(name='"\\u200b"'), "no usable text as name"),
        "a name with bidi controls": (_book(name='"\\u202eA"'), "no usable text as name"),
        "a name with half a character": (_book(name='"\\ud800"'), "no usable text as name"),
        "a name of two lines": (_book(name='"A\\nB"'), "no usable text as name"),
        "a definition that is a number": (_book(definition="3"), "no usable text as definition"),
        "a definition of 1,501 characters": (_book(definition="x" * 1_501), "has 1,501 characters"),
        "a name twice": ("version: 1\ncodes:\n- {id: a, name: A, definition: D}\n- {id: b, name: a, definition: D}\n", "have the name “a”"),
        "examples that are one text": ("version: 1\ncodes: [{id: a, name: A, definition: D, examples: E}]\n", "no list of up to 10"),
        "11 examples": (f"version: 1\ncodes: [{{id: a, name: A, definition: D, examples: [{', '.join('e' * 11)}]}}]\n", "no list of up to 10"),
    },
) + places("codebook", codebook.read_yaml, ".yaml")  # fmt: skip

QUESTIONS = tuple(Prompt(f"q{number}", f"Who pays {number}?") for number in range(501))
PLAN: dict[str, Any] = {"title": "Housing", "purpose": "To find out.", "keys": ("base", "left"), "prompts": QUESTIONS[:3]}
DESIGNS = table(
    "review form",
    lambda given, folder: Design(**{**PLAN, **given}).total,
    {
        "no title": ({"title": "  "}, "has no title"),
        "a title of zero-width characters": ({"title": UNSEEN}, "has no title"),
        "a title of 121 characters": ({"title": "x" * 121}, "has no title, or a very long one"),
        "a title that is a number": ({"title": 5}, "something else than text"),
        "a title with half a character": ({"title": HALF}, "holds half a character"),
        "a purpose of blanks": ({"purpose": " \n"}, "does not say what it is for"),
        "a purpose of a megabyte": ({"purpose": "x" * 1_000_000}, "does not say what it is for"),
        "one column": ({"keys": ("base",)}, "1 column is chosen"),
        "seven columns": ({"keys": tuple("abcdefg")}, "7 columns are chosen"),
        "a column twice": ({"keys": ("base", "base")}, "chosen twice"),
        "columns that are numbers": ({"keys": (1, 2)}, "something else than text"),
        "columns that are no list": ({"keys": 5}, "no plan of a review"),
        "no questions": ({"prompts": ()}, "0 questions are chosen"),
        "501 questions": ({"prompts": QUESTIONS}, "501 questions are chosen"),
        "questions that are numbers": ({"prompts": (1, 2)}, "no plan of a review"),
        "a question with half a character": ({"prompts": (Prompt("1", HALF),)}, "holds half a character"),
        "two questions with one id": ({"prompts": (Prompt("1", "A?"), Prompt("1", "B?"))}, "the same id"),
        "one question twice": ({"prompts": (Prompt("1", "A?"), Prompt("2", "A?"))}, "in it twice"),
        "nothing asked": ({"asked": ()}, "Nothing is asked"),
        "a thing asked twice": ({"asked": (ASKED[0], ASKED[0])}, "Nothing is asked, or a thing twice"),
        "more questions drawn than there are": ({"count": 4}, "4 questions can't be drawn"),
        "NaN raters": ({"raters": NAN}, "The number of raters is nan"),
        "two and a half raters": ({"raters": 2.5}, "The number of raters is 2.5"),
        "raters in words": ({"raters": "three"}, "The number of raters is three"),
        "raters of 5,000 digits": ({"raters": HUGE}, "a number of thousands of digits"),
        "no raters": ({"raters": 0}, "0 raters are planned"),
        "ballots kept for ever": ({"keep_days": 10**9}, "kept for 1000000000 days"),
        "a share of NaN": ({"repeats": NAN}, "come again is nan"),
        "a share of 1.5": ({"same": 1.5}, "of one model is 1.5"),
        "an unknown kind": ({"kind": "exam"}, "no kind of review called"),
        "a reason of 301 characters": ({"own_politics": "x" * 301}, "very long"),
        "more pairs than anybody can read": ({"keys": tuple("abcdef"), "prompts": QUESTIONS[:500]}, "pairs"),
    },
)

GROUP = table(
    "run group form",
    lambda given, folder: groups.checked(*given),
    {
        "a name of 61 characters": (("x" * 61, 1), "has 61 characters"),
        "a name with half a character": ((HALF, 1), "holds half a character"),
        "no seeds": (("a", 0), "0 seeds can't be trained"),
        "eleven seeds": (("a", 11), "11 seeds can't be trained"),
        "NaN seeds": (("a", NAN), "training seeds is nan"),
        "two and a half seeds": (("a", 2.5), "training seeds is 2.5"),
        "seeds of 5,000 digits": (("a", HUGE), "a number of thousands of digits"),
    },
)


def _sampled(sample: str, folder: Path) -> Any:
    return runs.write([], "left", {"name": "d"}, Recipe(), None, sample, folder / "run")  # type: ignore[arg-type]  # the folder is given


SAMPLES = table(
    "sample question",
    _sampled,
    {"half a character": (HALF, "holds half a character"), "a megabyte": ("x" * 1_000_000, "too long")},
)


def _described(given: dict[str, Any], folder: Path) -> Any:
    return about.describe(Run(folder), **given)


WORDS = table(
    "words about a run",
    _described,
    {
        "a title of two lines": ({"title": "a\nb"}, "more than one line"),
        "a title of 81 characters": ({"title": "x" * 81}, "has 81 characters"),
        "a title with bidi controls": ({"title": BIDI}, "can't be seen (U+202E)"),
        "a title with NUL": ({"title": "a\x00b"}, "can't be seen (U+0000)"),
        "a title with half a character": ({"title": HALF}, "can't be seen (U+D800)"),
        "a title that is a number": ({"title": 5}, "is not a text"),
        "a note of a megabyte": ({"note": "x" * 1_000_000}, "has 1,000,000 characters"),
        "tags that are one text": ({"tags": "a, b"}, "not a list"),
        "eleven tags": ({"tags": [str(n) for n in range(11)]}, "11 tags"),
        "a tag with a comma": ({"tags": ["a,b"]}, "a comma or a quotation mark"),
    },
) + table(
    "name of a labeller",
    lambda name, folder: people.save_labels(folder, name, {}),
    {
        "blanks": ("  ", "needs a short name"),
        "61 letters": ("x" * 61, "needs a short name"),
        "bidi controls": (BIDI, "needs a short name"),
        "half a character": (HALF, "needs a short name"),
        "NUL": ("a\x00", "needs a short name"),
    },
)

TRIALS = [*CODEBOOKS, *DESIGNS, *GROUP, *SAMPLES, *WORDS]
