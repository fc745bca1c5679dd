"""Groups, checkpoints and adapters from elsewhere as columns, on folders written by hand; no model is loaded."""

import json
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest

from pipelines import bundled
from pipelines.comparing.columns import MAX_COLUMNS, notes, spread
from pipelines.comparing.comparison import keep
from pipelines.comparing.fitting import Loaded, embedded_fingerprint, misfit
from pipelines.errors import StudioError
from pipelines.paths import Paths, read_json, write_json
from pipelines.records import Sampling
from pipelines.stance.study import Study
from pipelines.tuning.run import Run, write_state
from pipelines.tuning.shelf.about import describe
from studio import results
from studio.access import Access
from studio.owning import Me, Who
from studio.services import Services
from studio.tabs import measuring
from studio.tabs import stance as tab
from studio.tabs.comparing import answering, choosing, remembering
from studio.tabs.comparing.answering import Wish
from studio.tabs.stances import measure
from tests.unit.test_study import made_up, seeded

EMBEDDED = embedded_fingerprint()
OTHER = "0123456789ab"

HOME = Who("code", home=True)


@pytest.fixture
def services(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> Services:
    for name in ("STUDIO_PUBLIC", "SPACE_ID", "STUDIO_MODEL"):
        monkeypatch.delenv(name, raising=False)
    return Services.create()


def adapter(folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "adapter_config.json").write_text("{}")
    (folder / "adapter_model.safetensors").write_text("weights")


def make(
    paths: Paths, name: str, side: str = "left", group: dict[str, Any] | None = None, seed: int = 7, steps: tuple[int, ...] = (),
    state: str = "finished", base: str = "smollm2-135m", fingerprint: str = EMBEDDED, **metrics: Any,
) -> Run:  # fmt: skip
    run = Run(paths.runs / name)
    job = {
        "created": "2026-11-22T15:10:10+00:00", "side": side, "data": {"name": "rows"}, "recipe": {"seed": seed, "base": base},
        "base": base, "group": group, "settings_hash": "s", "prompts_hash": "p",
    }  # fmt: skip
    write_json(run.folder / "job.json", job)
    if state == "finished":
        adapter(run.adapter)
        write_json(run.folder / "metrics.json", {"kept_step": 60, "base_fingerprint": fingerprint, **metrics})
    for step in steps:
        adapter(run.folder / "checkpoints" / f"step-{step:05d}")
    write_state(run, state)  # type: ignore[arg-type]
    return run


def make_group(
    paths: Paths, name: str = "Rents", seeds: int = 1, roles: tuple[str, ...] = ("left", "right", "placebo"), **more: Any
) -> str:
    one: dict[str, Any] = {"id": f"id-{name}", "name": name, "seeds": seeds}
    sides = {"placebo": "neutral"}
    for seed in range(7, 7 + seeds):
        for place, role in enumerate(roles):
            make(paths, f"{name}-{seed:02d}-{place}-{role}", sides.get(role, role), {**one, "role": role}, seed, **more)
    return one["id"]


def ticked(updates: tuple[Any, ...]) -> list[str]:
    """The columns that an update ticks; each must be among the choices that it gives."""
    columns = next(one for one in updates if isinstance(one, dict) and isinstance(one.get("value"), list))
    assert set(columns["value"]) <= {key for _, key in columns["choices"]}
    return columns["value"]


def names(services: Services, keys: list[str]) -> list[str]:
    return [column.name for column in services.columns(keys)]


def test_base_and_bundled_adapters_come_first_then_runs_by_title_then_adapters_from_elsewhere(services: Services) -> None:
    run = make(services.paths, "run-1")
    describe(run, title="My first run")
    make(services.paths, "run-2", state="training")
    bring_in(services.paths, "theirs-abc", "")
    assert [name for name, _ in services.catalog().choices()] == ["Base", "Left", "Right", "Placebo", "My first run", "theirs-abc"]
    assert [(c.name, c.adapter) for c in services.columns(["run:run-1", "left", "base", "run:gone", "adapter:theirs-abc"])] == [
        ("base", None),
        ("My first run", run.folder),
        ("left", bundled.ADAPTERS / "left"),
        ("theirs-abc", services.paths.root / "adapters" / "theirs-abc"),
    ]


def bring_in(paths: Paths, name: str, warning: str) -> None:
    adapter(paths.root / "adapters" / name / "adapter")
    write_json(paths.root / "adapters" / name / "origin.json", {"fingerprint": "abc", "warning": warning})


def test_the_warning_of_an_adapter_from_elsewhere_is_told_where_it_is_ticked(services: Services) -> None:
    bring_in(services.paths, "theirs", "It was tuned on other weights.")
    listed = services.catalog()
    assert "It was tuned on other weights." in choosing.hint(listed, ["base", "adapter:theirs"])
    assert choosing.hint(listed, ["base"]) == ""


def test_two_runs_of_one_title_stay_two_columns_and_none_is_called_like_the_base(services: Services) -> None:
    for name, title in (("run-1", "Same"), ("run-2", "Same"), ("run-3", "Base")):
        describe(make(services.paths, name), title=title)
    shown = [column.name for column in services.columns(["base", "run:run-1", "run:run-2", "run:run-3"])]
    assert shown == ["base", "Same (run-1)", "Same", "Base (run-3)"]


def test_a_group_is_ticked_as_a_whole_in_the_order_of_its_roles(services: Services) -> None:
    group = make_group(services.paths)
    listed = services.catalog()
    assert listed.sets[group].title == "Rents: left, right, placebo, 1 seed"
    keys = ticked(choosing._pick(listed, f"group:{group}", ["left"]))
    assert names(services, keys) == ["base", "left · Rents", "right · Rents", "placebo · Rents"]
    assert (f"{listed.sets[group].title}", f"group:{group}") in choosing._sets(listed)


def test_of_a_group_with_many_seeds_as_many_whole_ones_are_ticked_as_fit(services: Services) -> None:
    group = make_group(services.paths, seeds=5)
    columns, _, said = choosing._pick(services.catalog(), f"group:{group}", [])
    assert names(services, ticked((columns,))) == ["base", *(f"{side} · Rents · seed 7" for side in ("left", "right", "placebo"))]
    assert "3 of 15 runs" in said
    pairs = make_group(services.paths, "Pairs", 3, ("chosen", "rejected"))
    assert len(ticked((choosing._pick(services.catalog(), f"group:{pairs}", [])[0],))) == 5, "two whole seeds and the base"


def test_runs_that_have_not_ended_are_no_columns_and_the_group_says_how_many_are_to_come(services: Services) -> None:
    group = make_group(services.paths)
    make(services.paths, "Rents-07-3-more", group={"id": group, "name": "Rents", "role": "right"}, state="queued")
    assert services.catalog().sets[group].title.endswith("1 seed, 1 not finished")
    make_group(services.paths, "Later", state="queued")
    assert list(services.catalog().sets) == [group]


def test_one_group_with_a_damaged_job_does_not_hide_the_runs(services: Services) -> None:
    run = make(services.paths, "run-1", group={"id": "x", "name": "y"})
    job = read_json(run.folder / "job.json")
    damages: tuple[Any, ...] = (5, {"name": "no id"}, [], {"id": [], "name": {}})
    for damage in damages:
        write_json(run.folder / "job.json", {**job, "group": damage})
        assert "run:run-1" in services.catalog().offers


def test_a_checkpoint_is_a_column_with_its_step_in_the_name(services: Services) -> None:
    run = make(services.paths, "run-1", steps=(20, 40))
    describe(run, title="Long run")
    column = services.column_of_checkpoint(run, 20)
    assert (column.name, column.adapter) == ("Long run @ step 20", run.folder / "checkpoints" / "step-00020")
    assert services.columns(["run:run-1@20"]) == [column]
    assert services.column_of_checkpoint(run, 60).adapter == run.adapter, "the step that was kept is the adapter of the run"
    with pytest.raises(StudioError, match="no checkpoint of step 30"):
        services.column_of_checkpoint(run, 30)
    assert services.columns(["run:run-1@30", "run:run-1@x", "run:gone@20", "run:@", ""]) == []


def test_checkpoints_open_with_the_base_and_at_most_five_evenly_spread(services: Services) -> None:
    make(services.paths, "run-1", steps=tuple(range(5, 60, 5)))
    tabs, *updates, said = choosing.open_in_compare(services, ["run-1"], ())
    assert ticked(tuple(updates)) == ["base", *(f"run:run-1@{step}" for step in (5, 20, 35, 45, 60))]
    assert tabs.selected == "compare" and "5 of 12 checkpoints" in said
    _, *updates, said = choosing.open_in_compare(services, ["run-1"], (10, 20, 33))
    assert ticked(tuple(updates)) == ["base", "run:run-1@10", "run:run-1@20"] and "3 columns are ticked below. Press “Ask all”" in said


def test_a_run_that_still_trains_can_be_looked_at_by_its_checkpoints_only(services: Services) -> None:
    make(services.paths, "run-1", state="interrupted", steps=(10, 20))
    assert ticked(choosing.open_in_compare(services, ["run-1"], ())) == ["base", "run:run-1@10", "run:run-1@20"]
    *_, columns, picker, said = choosing.open_in_compare(services, ["run-1"])
    assert "nothing to compare yet" in said and "value" not in columns and "value" not in picker, "what was ticked stays"


@pytest.mark.parametrize(
    ("steps", "room", "chosen"),
    [
        ([], 5, []),
        ([10], 5, [10]),
        ([30, 10, 10, 20], 5, [10, 20, 30]),
        (list(range(1, 101)), 5, [1, 26, 51, 75, 100]),
        ([1, 2, 3], 2, [1, 3]),
    ],
)
def test_steps_are_spread_evenly_with_the_first_and_the_last(steps: list[int], room: int, chosen: list[int]) -> None:
    assert spread(steps, room) == chosen


def test_a_run_and_a_bundled_adapter_open_from_tune(services: Services) -> None:
    make(services.paths, "run-1")
    assert ticked(choosing.open_in_compare(services, ["run-1"])) == ["base", "run:run-1"]
    assert ticked(choosing.open_in_compare(services, ["bundled:left"])) == ["base", "left"]
    group = make_group(services.paths, seeds=3)
    ids = [offer.key.removeprefix("run:") for offer in services.catalog().sets[group].offers]
    *updates, said = choosing.open_in_compare(services, ids)
    assert len(ticked(tuple(updates))) == 4 and "3 of 9 runs" in said


def test_a_run_of_another_base_is_not_offered_and_a_sentence_says_why(services: Services) -> None:
    make(services.paths, "run-1", base="org/bigger", fingerprint=OTHER, steps=(10,), base_title="Bigger model")
    listed = services.catalog()
    assert not [key for key in listed.offers if key.startswith("run:")]
    reason = "Base of this run: Bigger model; the studio has SmolLM2-135M-Instruct, weights from a Q4_1 file loaded. Start it with STUDIO_MODEL=org/bigger"
    assert listed.refused["run-1"].startswith(reason)
    assert reason in choosing.hint(listed, ["base"]) and "Not offered: “left · rows" in choosing.hint(listed, ["base"])
    for steps in (None, ()):
        *updates, said = choosing.open_in_compare(services, ["run-1"], steps)
        assert reason in said and not any("value" in one for one in updates if isinstance(one, dict))
    group = make_group(services.paths, fingerprint=OTHER, base="org/bigger")
    assert group not in services.catalog().sets and len(notes(services.catalog(), [])) == 2


@pytest.mark.parametrize(
    ("base", "fingerprint", "public", "here", "fits"),
    [
        ("smollm2-135m", EMBEDDED, "", EMBEDDED, True),
        ("smollm2-135m", OTHER, "", EMBEDDED, False),
        ("a/model", EMBEDDED, "", EMBEDDED, True),
        ("smollm2-135m", "", "", EMBEDDED, True),
        ("a/model", "", "", EMBEDDED, False),
        ("smollm2-135m", EMBEDDED, "hub/embedded", "", True),
        ("smollm2-135m", OTHER, "hub/other", "", False),
        ("", "", "", EMBEDDED, True),
    ],
)
def test_fingerprints_decide_about_a_base_and_names_where_one_is_missing(
    paths: Paths, base: str, fingerprint: str, public: str, here: str, fits: bool
) -> None:
    run = make(paths, "run-1", base=base, fingerprint=fingerprint)
    write_json(run.folder / "metrics.json", {**run.metrics, "base": public})
    loaded = Loaded("The embedded one", frozenset({"smollm2-135m", "hub/embedded", "The embedded one"}), here)
    assert (misfit(run, loaded) == "") == fits


def test_with_another_model_loaded_the_bundled_adapters_are_not_offered(paths: Paths, tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STUDIO_MODEL", str(tiny))
    make(paths, "run-1")
    listed = Services.create().catalog()
    assert list(listed.offers) == ["base"] and "Start it without STUDIO_MODEL" in listed.refused["run-1"]
    assert choosing._sets(listed) == []


def test_a_run_tuned_with_another_prompt_template_says_so(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    make(services.paths, "run-1", template_hash="alpaca")
    make(services.paths, "run-2", template_hash="own")
    monkeypatch.setattr(services, "loaded", lambda: Loaded("base", frozenset({"smollm2-135m"}), EMBEDDED, "own"))
    listed = services.catalog()
    assert "another prompt template" in choosing.hint(listed, ["run:run-1"]) and choosing.hint(listed, ["run:run-2"]) == ""


def test_a_public_studio_offers_what_it_ships_with_and_nothing_else(services: Services) -> None:
    make_group(services.paths)
    bring_in(services.paths, "theirs", "")
    results.keep(made_up(), services.paths, HOME)
    services.access = Access(public=True)
    assert list(services.catalog().offers) == ["base", "left", "right", "placebo"] and not services.catalog().sets
    assert [name for _, name in tab._earlier(services, HOME)] == [tab.RECORDED]
    assert "Recorded" in opening(services)(results.listed(services.paths, HOME)[0][1], None)[2]


def opened(services: Services, kept: Any, there: bool = False, **query: str) -> tuple[Any, ...]:
    return remembering.restore(services, kept, there, SimpleNamespace(query_params=query, session_hash="now"))  # type: ignore[arg-type]


def test_a_reload_brings_back_the_ticked_columns_that_are_still_there(services: Services) -> None:
    make(services.paths, "run-1", steps=(20,))
    kept = {"columns": ["base", "run:run-1@20", "run:gone", "right"], "page": "before"}
    *_, columns, _ = opened(services, kept)
    assert columns["value"] == ["base", "run:run-1@20", "right"]
    recorded = remembering.recorded()
    assert recorded
    talk = json.loads(json.dumps(replace(recorded, strength=0.5).as_dict()).replace("1.0", "1"))
    said, panes, one, _, _, question, strength, *_, columns, _ = opened(services, {"comparison": talk, "columns": ["base", "left"]})
    assert "kept in this browser" in said and panes.count("<article") == 4 and one.turns == recorded.turns
    assert question and strength == 0.5 and columns["value"] == ["base", "left"]


@pytest.mark.parametrize(
    "kept",
    [None, {}, [], {"columns": 5}, {"columns": [5, None]}, {"columns": ["gone"]}, {"answers": 3}, {"answers": [{}], "question": "q"}],
)
def test_a_memory_that_can_not_be_read_leaves_the_recorded_comparison_as_it_is_looked_at(services: Services, kept: Any) -> None:
    *shown, columns, _ = opened(services, kept)
    assert len(shown) == 13 and all(part == gr.skip() for part in shown), "whoever looks closer at once must not be set back"
    assert columns["value"] == ["base", "left", "right", "placebo"]


def test_a_remembered_answer_with_another_ones_stamp_is_not_shown(services: Services) -> None:
    recorded = remembering.recorded()
    assert recorded
    mixed = recorded.as_dict()
    one, other = mixed["turns"][0]["answers"][:2]
    one["stamp"], other["stamp"] = other["stamp"], one["stamp"]
    said, _, talk, *_ = opened(services, {"comparison": mixed, "columns": []})
    assert "do not belong together" in said and talk == recorded


def test_a_link_opens_the_comparison_that_was_kept_and_only_that(services: Services) -> None:
    recorded = remembering.recorded()
    assert recorded
    name = keep(replace(recorded, strength=0.25), services.paths)
    said, _, talk, _, _, _, strength, *drawn, _, _ = opened(services, {"columns": ["left"]}, comparison=name)
    assert drawn == [0.3, 0.9, 72, 1, False, ""], "it is drawn again as it was drawn then"
    assert "of this link" in said and strength == 0.25 and talk.id == name
    for wrong in ("0" * 16, "../../etc/passwd", "x", name.upper()):
        assert "not kept here" in opened(services, None, comparison=wrong)[0]
    file = services.paths.comparisons / f"{name}.json"
    file.write_text(file.read_text(encoding="utf-8").replace("landlords", "tenants"), encoding="utf-8")
    assert "do not belong together" in opened(services, None, comparison=name)[0]


def test_what_was_asked_on_the_page_of_a_link_counts_more_than_the_link_after_a_reload(services: Services) -> None:
    recorded = remembering.recorded()
    assert recorded
    name, mine = keep(recorded, services.paths), replace(recorded, strength=0.75)
    kept = {"comparison": mine.as_dict(), "columns": ["left"], "page": "before", "link": name}
    assert opened(services, kept, comparison=name)[2].strength == 0.75
    assert opened(services, {**kept, "link": "another"}, comparison=name)[2].strength == 1.0


def test_a_comparison_that_is_too_large_is_not_kept_for_a_link(services: Services) -> None:
    recorded = remembering.recorded()
    assert recorded
    long = replace(
        recorded, turns=tuple(replace(t, answers=tuple(replace(a, text="x" * 7000) for a in t.answers)) for t in recorded.turns * 12)
    )
    with pytest.raises(StudioError, match="too large"):
        keep(long, services.paths)


def test_what_the_browser_has_not_read_yet_changes_nothing(services: Services) -> None:
    assert opened(services, None, True) is remembering.NOTHING


def test_opening_the_tab_lets_the_ticks_alone_unless_one_is_gone(services: Services) -> None:
    chooser = choosing.Chooser(*[None] * 5)  # type: ignore[arg-type]
    look = choosing.refresh(services, chooser)["fn"]
    make(services.paths, "run-1")
    columns, _, _ = look(["base", "left"])
    assert "value" not in columns and ("run:run-1") in [key for _, key in columns["choices"]]
    assert look(["base", "run:gone"])[0]["value"] == ["base"]


def test_more_columns_than_fit_side_by_side_are_refused(services: Services) -> None:
    for number in range(MAX_COLUMNS):
        make(services.paths, f"run-{number}")
    keys = ["base", *(f"run:run-{number}" for number in range(MAX_COLUMNS))]
    with pytest.raises(StudioError, match="7 columns are chosen; at most 6"):
        answering._new(services.catalog(), Wish("Why?", keys, 1.0, Sampling()))
    assert len(answering._new(services.catalog(), Wish("Why?", keys[:6], 1.0, Sampling())).keys) == 6


def test_stance_offers_groups_with_their_own_column_names(services: Services) -> None:
    group = make_group(services.paths, seeds=2)
    listed = services.catalog()
    assert measuring.sets(listed) == [
        ("Bundled (left, right, placebo)", "bundled"),
        ("Rents: left, right, placebo, 2 seeds", f"group:{group}"),
        ("All runs", "all"),
    ]
    choices, keys = measuring.columns_of(listed, f"group:{group}")
    assert [name for name, _ in choices] == ["Base", *(f"{role} (seed {seed})" for seed in (7, 8) for role in ("Left", "Right", "Placebo"))]
    assert keys == [key for _, key in choices]
    assert measuring.columns_of(listed, "bundled")[1] == ["base", "left", "right", "placebo"]
    assert len(measuring.columns_of(listed, "all")[0]) == 4 + 6 and measuring.columns_of(listed, "all")[1] == ["base"]


def test_a_groups_plan_knows_the_roles_of_what_is_ticked(services: Services) -> None:
    group = make_group(services.paths, seeds=2)
    _, keys = measuring.columns_of(services.catalog(), f"group:{group}")
    size = "quick"
    plan, about = measuring.plan(services, keys[:-1], size, f"group:{group}")
    assert plan.roles == {
        "left": ["left (seed 7)", "left (seed 8)"],
        "right": ["right (seed 7)", "right (seed 8)"],
        "placebo": ["placebo (seed 7)"],
    }
    assert [column.name for column in plan.columns][:2] == ["base", "left (seed 7)"] and len(plan.questions) == 12
    assert about["group"] == {"id": group, "name": "Rents"} and about["same_settings"] is True
    plan, about = measuring.plan(services, ["base", "left", "placebo"], size, "bundled")
    assert plan.roles == {} and "group" not in about
    with pytest.raises(StudioError, match="group is gone"):
        measuring.plan(services, keys, size, "group:x")
    with pytest.raises(StudioError, match="at least one tuned"):
        measuring.plan(services, ["base"], size, f"group:{group}")


def test_a_group_with_other_settings_in_it_is_marked(services: Services) -> None:
    group = make_group(services.paths)
    run = Run(services.paths.runs / "Rents-07-0-left")
    write_json(run.folder / "job.json", {**run.job, "settings_hash": "others"})
    _, keys = measuring.columns_of(services.catalog(), f"group:{group}")
    assert measuring.plan(services, keys, "quick", f"group:{group}")[1]["same_settings"] is False


def test_a_group_opens_in_stance_and_one_that_is_gone_leaves_the_bundled_ones(services: Services) -> None:
    group = make_group(services.paths)
    tabs, adapters, columns, _ = measuring.open_in_stance(services, group)
    assert tabs.selected == "stance" and adapters["value"] == f"group:{group}" and len(columns["value"]) == 4
    assert measuring.open_in_stance(services, "gone")[1]["value"] == measuring.BUNDLED


def test_what_was_ticked_in_stance_stays_as_far_as_it_is_there(services: Services) -> None:
    group = make_group(services.paths)
    _, keys = measuring.columns_of(services.catalog(), f"group:{group}")
    assert measuring.refreshed(services, f"group:{group}", [*keys[:2], "run:gone"])[1]["value"] == keys[:2]
    assert measuring.refreshed(services, "group:gone", keys)[1]["value"] == ["base"]


def test_more_columns_and_a_larger_profile_take_longer(services: Services) -> None:
    def seconds(columns: list[str], size: str) -> float:
        words = measure._expected(services, columns, size, None, False)
        parts = words.split("About ")[1].split(" on two")[0].split()
        return sum(int(number) * {"s": 1, "min": 60, "h": 3600}[unit] for number, unit in zip(parts[::2], parts[1::2], strict=True))

    few, all_four = ["base", "left"], ["base", "left", "right", "placebo"]
    assert 0 < seconds(few, "quick") < seconds(all_four, "quick") < seconds(all_four, "full") < seconds(all_four, "robust")
    assert seconds([], "quick") > 0 and "no profile" in measure._expected(services, few, "huge", None, False)


AT_HOME = SimpleNamespace(headers={"host": "localhost"}, client=SimpleNamespace(host="127.0.0.1"))


def opening(services: Services) -> Any:
    """What the page does where an earlier result is chosen."""
    with gr.Blocks():
        return partial(tab.build(services, gr.State(Me()))["open"], AT_HOME, Me())


def write_result(paths: Paths, name: str, content: Any) -> None:
    paths.results.mkdir(parents=True, exist_ok=True)
    (paths.results / name).write_text(content if isinstance(content, str) else json.dumps(content))


def test_results_are_listed_newest_first_up_to_fifty_and_open_with_their_roles(services: Services) -> None:
    made = seeded({"left": [-1.0, -2.0], "right": [1.0, 1.0], "placebo": [0.0, 0.0]})
    made.notes["group"] = {"id": "g", "name": "Rents"}
    file = results.keep(made, services.paths, HOME, "Rents and wages")
    for hour in range(24):
        for minute in range(3):
            write_result(services.paths, f"stance-20200101-{hour:02d}{minute:02d}00.json", "{}")
    listed = results.listed(services.paths, HOME)
    assert len(listed) == results.MOST and listed[0][1] == file.name and listed[0][0].endswith("· rents-and-wages")
    assert listed[1] == ("01 Jan 2020, 23:02:00", "stance-20200101-230200.json")
    again = results.opened(file.name, services.paths, HOME)
    assert again.roles == made.roles and again.notes["group"]["id"] == "g"


def test_a_result_without_roles_or_a_time_in_it_opens_and_says_when_it_was_made(services: Services) -> None:
    old = made_up().as_dict()
    del old["roles"], old["notes"]
    write_result(services.paths, "stance-20251231-235900.json", old)
    _, state, source, *shown = opening(services)("stance-20251231-235900.json", None)
    assert "Computed 2025-12-31 23:59" in source and Study.from_dict(state).columns == old["columns"] and len(shown) > 6


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        "null",
        "{}",
        '{"columns": []}',
        "[" * 100_000,
        {"answers": 5},
        {"roles": {"left": 5}},
        {"answers": []},
        {"columns": ["base"]},
        {"validity": {}},
        {"collateral": {}},
    ],
)
def test_a_damaged_result_is_skipped_with_a_sentence(services: Services, content: Any) -> None:
    whole = made_up().as_dict()
    write_result(services.paths, "stance-20251231-235900.json", {**whole, **content} if isinstance(content, dict) and content else content)
    earlier, state, source, *rest = opening(services)("stance-20251231-235900.json", None)
    assert "is damaged and can&#x27;t be shown" in source and "Recorded" in source, "what is still shown keeps its line"
    assert earlier["value"] is None and "value" not in state and not any("value" in one for one in rest)


@pytest.mark.parametrize("name", ["../stance-x.json", "/etc/passwd", "stance-gone.json", "", "job.json"])
def test_only_listed_results_are_opened(services: Services, name: str) -> None:
    write_result(services.paths, "job.json", {})
    write_result(Paths(services.paths.root / "elsewhere"), "stance-x.json", made_up().as_dict())
    with pytest.raises(StudioError, match="no longer there"):
        results.opened(name, services.paths, HOME)
