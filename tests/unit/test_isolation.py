"""Two visitors of one studio: what one makes is neither listed to the other nor opened, changed, deleted or stopped by its id."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest

from pipelines.comparing.prompts import Prompt, PromptSet
from pipelines.corpus import drafts
from pipelines.corpus.engine import Tools
from pipelines.corpus.sources import Source
from pipelines.errors import StudioError
from pipelines.paths import Paths
from pipelines.stance import series_file
from studio import owning, results
from studio.owning import Me, Who
from studio.services import Services
from studio.tabs import curate, stance
from studio.tabs.comparing import setpage, setrows, setstatus
from studio.tabs.comparing.setpage import View
from studio.tabs.comparing.setwork import Asker, Visit
from studio.tabs.curating import opening
from studio.tabs.reviews import guesshost
from studio.tabs.stances import series as series_tab
from studio.tabs.stances import sharing
from tests.unit.test_series import made as made_series
from tests.unit.test_sets_tab import KEYS, LEVERS, OWN, Host, ended
from tests.unit.test_study import made_up

MARKER = "zebrafinch"  # stands in everything that ONE makes, and nowhere else
ONE, OTHER, HOME = Who("the one's code"), Who("the other's code"), Who("the teacher's code", home=True)
EVERYTHING = replace(HOME, everything=True)
NOBODY = Who()
STRANGERS = pytest.mark.parametrize("who", [OTHER, NOBODY, HOME], ids=["other", "nobody", "home"])


@pytest.fixture
def services(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> Services:
    monkeypatch.delenv("STUDIO_CLASS", raising=False)
    return Services(paths, Host(paths), SimpleNamespace())  # type: ignore[arg-type]


def draft_of(services: Services, who: Who, name: str = MARKER) -> drafts.Draft:
    source = Source(f"{name}.jsonl", lambda notes: iter([{"text": f"{name} sings about rents", "id": "p1"}]))
    return drafts.create(source, services.paths, tools=Tools(services.paths), claim=who.claim)


def asked_of(asker: Asker, who: Who, title: str = MARKER) -> str:
    """The id of a finished batch of a visitor's."""
    visit = Visit(asker, who)
    own = PromptSet(title, f"{title} set", tuple(Prompt(f"q{n}", f"{title} {n}?") for n in range(2)))
    made = setpage.begin(visit, (OWN, own, ["left", "right", "placebo"], 1.0, *LEVERS), View())["results"]["value"]
    ended(visit)
    return str(made)


def kinds(services: Services) -> dict[str, tuple[Path, Callable[[Who], list[str]]]]:
    """For each kind of thing one that ONE made, and the ids that a visitor is shown of its kind."""
    asker = Asker(services)
    batch = services.paths.batches / asked_of(asker, ONE)
    measured = series_file.keep(made_series(), services.paths, ONE.claim)
    return {
        "draft": (draft_of(services, ONE).folder, lambda who: [name for _, name in opening._earlier_names(services, who)]),
        "batch": (batch, lambda who: [name for _, name in setstatus.listed(Visit(asker, who))]),
        "game": (batch, lambda who: [name for _, name in guesshost.sources(services, who)][1:]),
        "result": (results.keep(made_up(), services.paths, ONE, MARKER), lambda who: [n for _, n in stance._earlier(services, who)][1:]),
        "series": (measured, lambda who: [name for _, name in series_tab._earlier(services, who) if name != series_tab.RECORDED]),
    }


def test_every_list_shows_its_maker_what_they_made_and_nobody_else_but_home_on_demand(services: Services) -> None:
    for kind, (thing, shown) in kinds(services).items():
        assert any(thing.name in name for name in shown(EVERYTHING)), kind
        assert any(thing.name in name for name in shown(ONE)), kind
        for who in (OTHER, NOBODY, HOME):
            assert not any(thing.name in name for name in shown(who)), (kind, who)


def test_what_nobody_made_is_the_studios_own_computers(services: Services) -> None:
    made = draft_of(services, NOBODY)
    assert not (made.folder / "owner").exists()
    assert [name for _, name in opening._earlier_names(services, HOME)] == [f"draft:{made.id}"]
    assert opening._earlier_names(services, ONE) == opening._earlier_names(services, NOBODY) == []


@STRANGERS
def test_a_draft_of_another_is_neither_opened_nor_restored(services: Services, who: Who) -> None:
    made = draft_of(services, ONE)
    desk: Any = SimpleNamespace(find=lambda draft_id: drafts.load(draft_id, services.paths) if draft_id else None)
    with pytest.raises(StudioError, match="made in another browser"):
        opening._earlier(services, who, f"draft:{made.id}")
    assert curate.restore(desk, who, made.id) == ""
    assert curate.restore(desk, ONE, made.id) == made.id == opening._earlier(services, ONE, f"draft:{made.id}").id
    assert opening._earlier(services, EVERYTHING, f"draft:{made.id}").id == made.id
    assert curate.restore(desk, ONE, ["draft"]) == curate.restore(desk, ONE, None) == ""


@STRANGERS
def test_a_set_of_another_is_neither_read_nor_exported_gone_on_with_stopped_or_deleted(services: Services, who: Who) -> None:
    asker = Asker(services)
    made = asked_of(asker, ONE)
    visit = Visit(asker, who)
    attempts: list[Callable[[], Any]] = [
        lambda: setrows.export(visit, made, "csv", None, None),
        lambda: setrows.conversation(visit, made, 0),
        lambda: setpage.go_on(visit, made, View()),
        lambda: setpage.delete(visit, made, made, View()),
        lambda: guesshost.turns(services, who, made),
    ]
    for attempt in attempts:
        with pytest.raises(StudioError, match="made in another browser"):
            attempt()
    pages = [
        setpage.chosen(visit, made, View()), setpage.look(visit, made, View()), setpage.attached(visit, made, View()),
        setrows.opened(visit, made, 0), setpage.known_again(visit),
    ]  # fmt: skip
    assert MARKER not in str(pages) and not visit.stop(made)
    assert len(setrows.rows(Visit(asker, ONE).in_hand(made))) == 2
    assert len(setrows.rows(Visit(asker, EVERYTHING).in_hand(made))) == 2


def test_whoever_waits_learns_nothing_of_what_is_being_asked(services: Services) -> None:
    host: Any = services.host
    host.gate.clear()
    asker = Asker(services)
    one, other = Visit(asker, ONE), Visit(asker, OTHER)
    own = PromptSet("x", f"{MARKER} set", (Prompt("q", f"{MARKER}?"),))
    begun = setpage.begin(one, (OWN, own, KEYS, 1.0, *LEVERS), View())["results"]["value"]
    waiting = setpage.begin(other, ("everyday", None, KEYS, 1.0, *LEVERS), View())
    looked = setpage.look(other, begun, View())
    assert "1 other set is asked before it" in waiting["status"] and MARKER not in str(waiting) and MARKER not in str(looked)
    setpage.stop(other, begun)
    assert not asker.jobs[begun].stop.is_set() and asker.jobs[waiting["results"]["value"]].stop.is_set()
    host.gate.set()
    ended(one)


@STRANGERS
def test_a_result_of_another_is_not_opened_unless_it_is_shared_and_only_its_maker_shares_it(services: Services, who: Who) -> None:
    with gr.Blocks():
        stance.build(services, gr.State(Me()))
    file = results.keep(made_up(), services.paths, ONE, MARKER)
    other = series_file.keep(made_series(), services.paths, ONE.claim)
    with pytest.raises(StudioError, match="made in another browser"):
        results.opened(file.name, services.paths, who)
    assert "made in another browser" in series_tab._open(services, who, other.name)[2]
    for kind, name in (("stance", file.name), ("series", other.name)):
        with pytest.raises(StudioError, match="made in another browser"):
            sharing.share(services, who, kind, name)
        assert not sharing.offered(services, who, kind, name)["visible"] and sharing.offered(services, ONE, kind, name)["visible"]
        sharing.share(services, ONE, kind, name)
    assert results.opened(file.name, services.paths, who) and series_tab._open(services, who, other.name)[1]
    assert [words.endswith(" · shared") for words, name in results.listed(services.paths, who)] == [True]
    with pytest.raises(StudioError, match="made in another browser"):
        sharing.share(services, who, "stance", file.name)
    sharing.share(services, ONE, "stance", file.name)
    assert results.listed(services.paths, who) == [] and results.opened(file.name, services.paths, ONE)


@pytest.mark.parametrize("name", ["", None, 5, "../owner", "stance-gone.json", "/etc/passwd", "series-20200101-000000-dose-x.json"])
def test_what_is_no_result_is_not_shared(services: Services, name: Any) -> None:
    services.paths.results.mkdir(parents=True)
    with pytest.raises(StudioError, match="No result of yours"):
        sharing.share(services, EVERYTHING, "stance", name)
    assert list(services.paths.results.iterdir()) == []


def test_two_that_measure_in_the_same_second_keep_two_results_each_their_own(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    files = [results.keep(made_up(), services.paths, who, "same") for who in (ONE, OTHER) for _ in range(2)]
    more = [series_file.keep(made_series(), services.paths, who.claim) for who in (ONE, OTHER)]
    assert len({*files, *more}) == 6
    assert sorted(name for _, name in results.listed(services.paths, OTHER)) == sorted(file.name for file in files[2:])
    assert [name for _, name in series_file.listed(services.paths, ONE.sees)] == [more[0].name]


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"x" * 64 + b"\n", b"shared\nshared\n", b"0" * 63])
def test_a_damaged_owner_file_opens_nothing_to_anybody_else(services: Services, content: bytes) -> None:
    made = draft_of(services, ONE)
    (made.folder / "owner").write_bytes(content)
    seen = [who for who in (ONE, OTHER, HOME, NOBODY) if who.sees(made.folder)]
    assert seen == ([HOME] if content == b"" else []) and EVERYTHING.sees(made.folder)


def test_a_paths_name_opens_nothing_for_visitors_and_nothing_of_the_studios_own_for_anybody(services: Services, tmp_path: Path) -> None:
    work, kept = opening._named(services), draft_of(services, ONE)
    mine = tmp_path / "mine.csv"
    mine.write_text("post\nRents are too high here\n")
    inside = [str(kept.folder / "source"), str(services.paths.root), str(tmp_path / "x" / ".." / "home" / "drafts")]
    (tmp_path / "link").symlink_to(services.paths.root)
    for reference in (*inside, str(tmp_path / "link" / "drafts")):
        with pytest.raises(StudioError, match="studio's own files"):
            work(None, Tools(services.paths), EVERYTHING, reference, "", "train", "")
    for reference in (*inside, str(mine), os.path.relpath(mine), "~/x", "..", "assets/data"):
        with pytest.raises(StudioError, match="Folders of this machine"):
            work(None, Tools(services.paths), ONE, reference, "", "train", "")
    assert work(None, Tools(services.paths), HOME, str(mine), "", "train", "")[0].count == 1
    assert work(None, Tools(services.paths), ONE, "bundled-confounded", "", "train", "")[0].count == 96


def request(host: str = "127.0.0.1", named: str = "localhost:7860", session: str = "s1", **headers: str) -> Any:
    return SimpleNamespace(client=SimpleNamespace(host=host), headers={"host": named, **headers}, session_hash=session)


def test_only_the_studios_own_computer_is_shown_everything_and_it_must_ask() -> None:
    assert Who.at(request(), Me("c", True)) == Who("c", True, True) and Who.at(request(), Me("c")) == Who("c", True, False)
    for away in (request("192.168.1.7"), request(named="studio.example"), request(**{"x-forwarded-for": "1.2.3.4"})):
        assert Who.at(away, Me("c", True)) == Who("c")


def test_a_program_is_known_by_its_session_and_nobody_without_one() -> None:
    one, other = Who.at(request(session="s1"), Me()), Who.at(request(session="s2"), Me())
    assert one.made(one.mark) and not other.made(one.mark) and not one.made("")
    assert Who.at(request(session=""), Me()).mark == "" == NOBODY.mark and not NOBODY.made("")


def test_a_page_keeps_its_browsers_code_gets_one_where_there_is_none_and_writes_over_none_that_was_not_read_yet(services: Services) -> None:
    with gr.Blocks() as page:
        owner, me = gr.BrowserState(**owning.OWNER), gr.State(Me())
        owning.build(services, owner, me, page)
    load, reread, ticked = (next(fn.fn for fn in page.fns.values() if fn.name == name) for name in ("known", "_reread", "ticked"))
    home = request()
    code, known, box = load(home, "", False, Me())
    assert len(code) > 20 and known == Me(code) and box["visible"]
    assert load(home, code, True, Me())[:2] == (gr.skip(), Me(code)) and load(home, "", False, Me())[0] != code
    assert load(home, "", True, Me())[:2] == (gr.skip(), Me("")) and reread(code, Me("")) == Me(code) and reread("", Me(code)) == Me(code)
    assert not load(request("10.0.0.2"), "", False, Me())[2]["visible"]
    assert ticked(home, True, Me(code)) == Me(code, True) and ticked(request("10.0.0.2"), True, Me(code)) == Me(code)
    assert page.blocks[owner._id].default_value == "" and json.dumps(known.code)


def test_no_list_is_filled_before_it_is_known_who_looks(services: Services) -> None:
    """What stands in the page's configuration is sent to everybody."""
    found = kinds(services)
    draft_of(services, NOBODY, "ownerless")
    with gr.Blocks() as page:
        me = gr.State(Me())
        curate.build(services, gr.BrowserState(""), me)
        stance.build(services, me)
    sent = str(page.get_config_file())
    assert MARKER not in sent and "ownerless" not in sent and not any(thing.name in sent for thing, _ in found.values())
