"""Broken and hostile names and short texts: column keys, strengths, links, ids of all sorts, questions, ballots, receipt codes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from pipelines.comparing import batch, comparison, keys
from pipelines.comparing.columns import Catalog, Offer
from pipelines.comparing.prompts import Prompt
from pipelines.corpus import drafts, versions
from pipelines.hub import check_name
from pipelines.paths import Paths
from pipelines.records import Completion
from pipelines.review import marking, rounds
from pipelines.review.ballots import Box
from pipelines.review.design import Design
from pipelines.review.guess import Dealt
from pipelines.review.predictions import Predictions
from pipelines.review.protocol import Shown
from pipelines.stance import series_file
from pipelines.stance.series_plan import Plan, at_strengths, parsed
from pipelines.tuning import groups, presets, runs
from pipelines.tuning.sharing import exchange
from studio import results
from studio.tabs.comparing import answering
from tests.bad_inputs.trial import Taken, Trial, table

HALF, BIDI, LONG = "\ud800", "\u202eleft", "x" * 5_000
ANYBODY: Any = SimpleNamespace(sees=lambda file: True, refuse_unseen=lambda file: None, remark=lambda file: "")
STEM = Completion("c", "economic", "taxes", "Taxes are", " too high", " too low", "They are")
LISTED = Catalog(
    {"base": Offer("base", "base"), "left": Offer("left", "left", Path("left")), "right": Offer("right", "right", Path("right"))}
)


def _column(key: str, folder: Path) -> Any:
    found = LISTED.find(key)
    return found and found.key


COLUMNS = table(
    "column key",
    lambda key, folder: [(part.offer, part.strength) for part in keys.parse(key)],
    {
        "a strength of 9": ("left*9", "The strength 9 is out of range"),
        "a strength of -2.5": ("left*-2.5", "The strength -2.5 is out of range"),
        "three parts": ("left*0.5+right*0.5+placebo*0.5", "is not a column"),
        "a part without a strength in a blend": ("left+right*0.5", Taken([("left+right", 0.5)])),
        "a strength out of range in the second part": ("left*0.5+right*3", "The strength 3 is out of range"),
        "a megabyte of parts": ("left*0.5+" * 100_000 + "left*0.5", "is not a column"),
    },
) + table(
    "column",
    _column,
    {
        "an empty key": ("", Taken(None)),
        "blanks": ("  ", Taken(None)),
        "no offer before the strength": ("*0.5", Taken(None)),
        "no strength behind the star": ("left*", Taken(None)),
        "a strength of NaN": ("left*nan", Taken(None)),
        "a strength with an exponent": ("left*1e9", Taken(None)),
        "two minus signs": ("left*--1", Taken(None)),
        "a base with a strength": ("base*0.5", Taken(None)),
        "a path": ("../../etc/passwd", Taken(None)),
        "NUL": ("left\x00", Taken(None)),
        "half a character": (f"left{HALF}", Taken(None)),
        "bidi controls": (BIDI, Taken(None)),
        "a strength below the lowest": ("left*-3", Taken(None)),
        "a strength of minus zero": ("left*-0.0", Taken("left*0")),
    },
) + table(
    "strength of a column",
    lambda strength, folder: keys.made(("left", strength)),
    {
        "nothing": (None, "The strength is None"),
        "NaN": (float("nan"), "The strength is nan"),
        "infinity": (float("inf"), "The strength is inf"),
        "True": (True, "The strength is True"),
        "a word": ("strong", "The strength is strong"),
        "a list": ([0.5], "The strength is [0.5]"),
        "5,000 digits": (10**5_000, "a number of thousands of digits"),
        "2.01": (2.01, "The strength is 2.01"),
        "a very small number": (1e-9, Taken("left*0")),
    },
)  # fmt: skip


def _planned(text: Any, folder: Path) -> Any:
    return sorted(Plan("strength", "left", at_strengths("left", folder, parsed(text)), completions=(STEM,)).columns)


STRENGTHS = table(
    "strengths of a dose",
    _planned,
    {
        "a word": ("strong", "“strong” is no strength"),
        "a number and a word": ("0.5, x", "“x” is no strength"),
        "NaN": ("nan", "The strength nan can't be measured"),
        "infinity": ("inf", "The strength inf can't be measured"),
        "1e999": ("1e999", "The strength inf can't be measured"),
        "a number above 2": ("2.1", "The strength 2.1 can't be measured"),
        "a comma for the point": ("0,5", "The strength 5 can't be measured"),
        "only the base": ("0, -0.0", "0 points are to be measured"),
        "25 numbers": (", ".join(str(n / 100) for n in range(1, 26)), "25 points are to be measured"),
        "half a character": (HALF, "“?” is no strength"),
        "NUL": ("0.5\x00", "is no strength"),
        "zero-width characters": ("\u200b", "is no strength"),
        "a megabyte": ("1," * 500_000, "These are no strengths"),
        "a list": ([0.5], "These are no strengths"),
        "nothing": (None, "These are no strengths"),
        "other digits and doubles": ("١, 1, 1.0001", Taken([1.0])),
    },
)

NAMES: dict[str, Any] = {
    "nothing": "",
    "two dots": "..",
    "a path that climbs": "../../etc/passwd",
    "an absolute path": "/etc/passwd",
    "NUL": "a\x00b",
    "half a character": HALF,
    "5,000 letters": LONG,
    "a pattern": "*",
    "None": None,
}


def _ids(parser: str, find: Callable[[Any, Paths], Any], words: str, without: str = "") -> list[Trial]:
    known = {cause: (name, words) for cause, name in NAMES.items() if cause != without}
    return table(parser, lambda name, folder: find(name, Paths(folder)), known)


IDS = [
    *_ids("run id", runs.find, "There is no run called"),
    *_ids("run group id", groups.find, "There is no run group called"),
    *_ids("data set version", versions.load, "There is no data set version called"),
    *_ids("draft id", drafts.load, "This draft is not here any more"),
    *_ids("imported adapter", exchange.forget_imported, "No adapter from elsewhere is called"),
    *_ids("prompt set result", batch.find, "There is no batch called"),
    *_ids("comparison link", comparison.opened, "is not kept here"),
    *_ids("series file", series_file.opened, "This result is no longer there"),
    *_ids("study file", lambda name, paths: results.opened(name, paths, ANYBODY), "This result is no longer there"),
    *_ids("review link", lambda name, paths: Box(paths.reviews).review(name), "There is no such review here"),
    *_ids("preset", lambda name, paths: presets.load(name), "There is no preset called"),
    *_ids("repository name", lambda name, paths: check_name(name), "is not the name of a repository", "None"),
    *_ids("receipt code", lambda name, paths: Box(paths.reviews).withdraw(name), "No ballots belong to this code", "None"),
]
LINKS = table(
    "comparison link",
    lambda name, folder: comparison.opened(name, Paths(folder)),
    {
        "15 digits": ("0" * 15, "is not kept here"),
        "capital letters": ("A" * 16, "is not kept here"),
        "letters that are no digits": ("g" * 16, "is not kept here"),
        "one that nobody made": ("0" * 16, "is not kept here"),
    },
)

QUESTIONS = table(
    "question",
    lambda text, folder: answering.checked(text, "question", 600),
    {
        "nothing": (None, "There is no question"),
        "blanks and line ends": (" \t\n ", "There is no question"),
        "zero-width characters": ("\u200b\u2060\ufeff", "There is no question"),
        "601 characters": ("x" * 601, "has 601 characters"),
        "a megabyte": ("x" * 1_000_000, "has 1000000 characters"),
        "half a character": (f"Who pays{HALF}?", "holds half a character"),
        "a script": ("<script>alert(1)</script>", Taken("<script>alert(1)</script>")),
        "bidi controls": (BIDI, Taken(BIDI)),
    },
)

DESIGN = Design("Housing", "To find out.", ("base", "left"), (Prompt("q", "Who pays?"),))
PAIR = Shown("item", "Who pays?", "We do.", "They do.", False)
VOTES = {"economy": "A", "social": "same", "writing": "unsure"}
DEALT = Dealt("r1", "Who pays?", ("a", "b", "c"), ("left", "right", "placebo"))


def _dropped(given: tuple[Any, Any], folder: Path) -> Any:
    return Predictions(folder).drop("token", "left", *given)


BALLOTS = [
    *table(
        "ballot",
        lambda votes, folder: marking.by_column(DESIGN, votes, PAIR),
        {
            "no vote": ({}, "The ballot is not complete"),
            "a vote is missing": ({"economy": "A"}, "The ballot is not complete"),
            "a vote too many": ({**VOTES, "style": "A"}, "The ballot is not complete"),
            "an unknown vote": ({**VOTES, "economy": "C"}, "The ballot is not complete"),
            "a vote in columns": ({**VOTES, "economy": "first"}, "The ballot is not complete"),
            "a list for a vote": ({**VOTES, "economy": ["A"]}, "The ballot is not complete"),
            "nothing for a vote": ({**VOTES, "economy": None}, "The ballot is not complete"),
            "the pair of another review": (VOTES, Taken({"economy": "first", "social": "same", "writing": "unsure"})),
        },
    )[:-1],
    *table(
        "comment",
        lambda text, folder: marking.cleaned(text),
        {
            "2,001 characters": ("x" * 2_001, "has 2,001 characters"),
            "a megabyte": ("x" * 1_000_000, "has 1,000,000 characters"),
            "half a character": (HALF, Taken("?")),
        },
    ),
    *table(
        "guess",
        lambda guess, folder: DEALT.by_role(guess),
        {
            "nothing": ({}, "The guess is not complete"),
            "one role twice": ({"A": "left", "B": "left", "C": "placebo"}, "The guess is not complete"),
            "an unknown role": ({"A": "left", "B": "right", "C": "middle"}, "The guess is not complete"),
            "a fourth letter": ({"A": "left", "B": "right", "C": "placebo", "D": "left"}, "The guess is not complete"),
        },
    ),
    *table(
        "prediction",
        _dropped,
        {
            "NaN": ((float("nan"), 0), "no place on the plot"),
            "infinity": ((0, float("inf")), "no place on the plot"),
            "a word": (("left", 0), "no place on the plot"),
            "True": ((True, 0), "no place on the plot"),
            "5,000 digits": ((10**5_000, 0), "no place on the plot"),
            "nobody's token": ((0, 0), "You have not joined"),
        },
    ),
    *table(
        "marked words",
        lambda given, folder: rounds.span("Rents are too high.", *given),
        {
            "a place below zero": ((-2, 3), "do not stand in the answer"),
            "an end before the start": ((3, 2), "do not stand in the answer"),
            "an end behind the text": ((0, 10**30), "do not stand in the answer"),
            "a fraction": ((0.5, 2), "do not stand in the answer"),
            "True": ((True, 2), "do not stand in the answer"),
            "other words": ((0, 5, "Wages"), "do not stand in the answer"),
            "blanks": ((5, 6), "do not stand in the answer"),
        },
    ),
]

TRIALS = [*COLUMNS, *STRENGTHS, *IDS, *LINKS, *QUESTIONS, *BALLOTS]
