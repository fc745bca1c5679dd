"""The docs agree with the code: links, options, settings, constants, files for a double click."""

import ast
import re
from dataclasses import fields
from pathlib import Path

import pytest
import yaml

from pipelines import cli
from pipelines.paths import PROJECT
from pipelines.review.clock import LONGEST_OFF
from pipelines.stance import collateral, contrasts, ruler, ruler_validity, statistics, survey
from pipelines.tuning.recipe import METHODS, Recipe
from studio.access import FEATURES
from tests import documented
from tests.documented import PAGES

DOCS = PROJECT / "docs"
MAKEFILE = (PROJECT / "Makefile").read_text(encoding="utf-8")
COMMANDS = [(page, command) for page in PAGES for command in documented.commands(page)]
CODE = [file for folder in ("pipelines", "studio") for file in (PROJECT / folder).rglob("*.py")] + [PROJECT / "app.py"]


def text(name: str) -> str:
    return (PROJECT / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("page", [*PAGES, PROJECT / "CHANGELOG.md"], ids=lambda page: page.name)
def test_links_and_pictures_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8"))
    assert not [link for link in links if not (page.parent / link).exists()]


def test_the_index_names_every_page() -> None:
    index = text("docs/README.md")
    assert not [page.name for page in DOCS.glob("*.md") if page.name != "README.md" and f"]({page.name})" not in index]


@pytest.mark.parametrize("page,command", COMMANDS, ids=[f"{page.name}: {' '.join(command.words)[:60]}" for page, command in COMMANDS])
def test_every_command_of_the_docs_exists_with_its_options(page: Path, command: documented.Command, capsys: pytest.CaptureFixture) -> None:
    if command.ours:
        options = cli.parser().parse_args(command.ours)  # ends with SystemExit where an option is not there
        assert callable(options.run)
    elif command.words[0] == "make":
        targets = set(re.findall(r"^([a-z-]+):", MAKEFILE, re.MULTILINE))
        assert set(command.words[1:]) <= targets
    elif command.words[0] == "export":
        assert all(re.fullmatch("[A-Z_]+(=.*)?", word) for word in command.words[1:]) and command.not_run
    else:
        raise AssertionError(f"nobody looks at “{' '.join(command.words)}”")
    assert not command.not_run or len(command.not_run) > 10, "a reason is a few words"


def test_python_of_the_docs_can_be_read_and_names_what_there_is() -> None:
    blocks = [block for page in PAGES for block in documented.python_blocks(page)]
    assert len(blocks) >= 3
    for block in blocks:
        ast.parse(block)


def test_benchmarks_and_tests_that_the_docs_name_exist() -> None:
    every = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    modules = set(re.findall(r"benchmarks[./]([a-z_]+)", every))
    assert modules and not [one for one in modules if not any((PROJECT / "benchmarks" / name).exists() for name in (f"{one}.py", one))]
    named = set(re.findall(r"`((?:tests|studio|pipelines)/[\w/]+\.py)`", every))
    assert named and not [one for one in named if "NAME" not in one and not (PROJECT / one).is_file()]
    inside = set(re.findall(r"`((?:stance|models|tuning)/[\w/]+\.py)`", every))
    assert inside and not [one for one in inside if not (PROJECT / "pipelines" / one).is_file()]


def test_every_setting_that_is_read_stands_in_the_table() -> None:
    page = text("docs/settings.md").replace(
        "`STUDIO_ENDPOINT_URL`, `_MODEL`, `_KEY`", "STUDIO_ENDPOINT_URL STUDIO_ENDPOINT_MODEL STUDIO_ENDPOINT_KEY"
    )
    read = set().union(*(re.findall(r"[\"'](STUDIO_[A-Z_]+)[\"']", file.read_text(encoding="utf-8")) for file in CODE))
    read -= {"STUDIO_USUAL_THREADS", *(name for name in read if name.startswith("STUDIO_JOB_"))}  # from one process of ours to another
    assert {"STUDIO_HOME", "STUDIO_MODEL", "STUDIO_PUBLIC"} <= read
    assert not {name for name in read if name not in page}
    assert ",".join(FEATURES) in page


def test_formulas_quote_the_constants_of_the_code() -> None:
    page = text("docs/method.md")
    assert all(f"| `{name}` |" in page for name in METHODS), "every method has its loss"
    assert f"+ {ruler.RIDGE:g} |w|²" in page and ruler.TARGETS == {"left": -1.0, "neutral": 0.0, "right": 1.0}
    assert f"AUC .{round(100 * ruler_validity.AUC_GATE)} **and** {ruler_validity.FLIP_GATE:.0%}" in page
    assert f"probability of the labels ≥ .0{round(100 * survey.MASS_GATE)}" in page and survey.FACTS_GATE == 10 / 12
    assert f"{statistics.RESAMPLES:,} resamples" in page and contrasts.ENOUGH_SEEDS == 5
    lines = f"perplexity × {collateral.PERPLEXITY_LIMIT:.2f}; more than one plain fact lost; repetition"
    assert lines in page and collateral.FACTS_LIMIT == 1 and collateral.LENGTH_LIMITS == (0.5, 2.0)
    for limit, words in (
        (collateral.REPETITION_LIMIT, "rep-4; Welleck et al. 2020) +"),
        (collateral.UNFINISHED_LIMIT, "cut off +"),
        (collateral.REFUSALS_LIMIT, "refusals +"),
    ):
        assert f"{words} .{round(100 * limit)}" in page
    assert LONGEST_OFF == 120 * 86_400 and "120 days" in text("docs/many-people.md")


def test_sources_that_are_cited_are_listed() -> None:
    page, listed = text("docs/method.md").split("## Sources")
    cited = set(re.findall(r"\b([A-ZÅ-Ü][a-zöüé]+)(?:,? (?:and|et al\.?)(?: [A-Z][a-zöüé-]+)?)?(?: et al\.)? \(?((?:19|20)\d\d)\)?", page))
    assert len(cited) > 15
    missing = {
        (name, year)
        for name, year in cited
        if not re.search(rf"{name}[^·]* {year}:", listed) and not re.search(rf", {name}[^·]*{year}:", listed)
    }
    assert not missing


def test_the_order_of_imports_is_the_one_that_is_drawn() -> None:
    drawn = re.search(r'small\["[^"]+"\] --> ([a-z> -]+)', text("docs/architecture.md"))
    order = re.findall(
        r'^    "([a-z_]+)",$', re.search(r"ORDER = \[(.*?)\]", text("tests/unit/test_imports.py"), re.DOTALL)[1], re.MULTILINE
    )
    assert drawn
    names = drawn[1].strip().split(" --> ")
    assert [one for one in order if one in names] == names


def test_the_example_recipe_and_its_names_are_ones_that_work() -> None:
    made = Recipe.from_dict(yaml.safe_load(documented.files(DOCS / "own-model.md")["my-recipe.yaml"]))
    assert made.method == "dpo-with-sft" and made.max_steps == 40 and made.guard == "stop"
    assert set(METHODS) == set(re.search(r"method: dpo-with-sft +# ([\w, -]+)", text("docs/own-model.md"))[1].split(", "))
    assert {"learning_rate", "method"} <= {one.name for one in fields(Recipe)}


def test_citation_and_changelog_tell_one_version() -> None:
    cited = yaml.safe_load(text("CITATION.cff"))
    assert {"cff-version", "message", "title", "authors", "version", "license"} <= set(cited) and cited["cff-version"] == "1.2.0"
    assert cited["license"] == "Apache-2.0" and all({"name"} == set(one) for one in cited["authors"])
    newest = re.search(r"^## \[([\d.]+)\] - (\d{4}-\d\d-\d\d)$", text("CHANGELOG.md"), re.MULTILINE)
    assert newest and (newest[1], newest[2]) == (cited["version"], cited["date-released"])
