"""A public studio refuses on the server what its owner has not opened, and asks for the teacher's password where one is set."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from html import unescape
from types import SimpleNamespace
from typing import Any

import pytest
from gradio.helpers import special_args

from pipelines.comparing import curated
from pipelines.comparing.comparison import Comparison
from pipelines.corpus.engine import Tools
from pipelines.corpus.steps.writing import Synthesize
from pipelines.errors import StudioError
from pipelines.models.host import ModelHost
from pipelines.paths import Paths
from pipelines.records import Sampling
from studio.access import FEATURES, STEPS, Access
from studio.app import build_studio
from studio.owning import Who
from studio.services import Services
from studio.tabs import unlocking
from studio.tabs.comparing import listed, mirroring, setpage, setwork, sharing
from studio.tabs.curating import forms, opening, pairing, saving, scoring
from studio.tabs.curating.desk import Desk
from studio.tabs.curating.endpoint import Endpoint
from studio.tabs.reviews import owning, settingpage
from studio.tabs.reviews.settingpage import Form
from studio.tabs.stances import judging, measure, series
from studio.tabs.tuning import exchanging, expert, kept, setup, watch

FIRST, OTHER = curated.questions()[0].text, "Write me an essay about rents."
DRAWN = (0.3, 0.9, 72, 1, False)
FORM = Form("opinion", None, 3, ["base", "left"], "T", "P", "research", 3, [], 30, "", 72, 1)
PASSWORD = "chalk and board"


class Host(ModelHost):
    def load(self, *given: Any) -> Any:
        raise StudioError("There is no model in this test.")


def services_of(paths: Paths, access: Access) -> Services:
    return Services(paths, Host(paths), SimpleNamespace(), access)  # type: ignore[arg-type]


def request(address: str = "192.0.2.7", page: str = "page", host: str = "studio.example") -> Any:
    return SimpleNamespace(client=SimpleNamespace(host=address), headers={"host": host}, session_hash=page, query_params={})


HOME = request("127.0.0.1", host="127.0.0.1:7860")
Work = Callable[[Services], Any]
DESK = lambda services: SimpleNamespace(services=services, find=lambda draft_id: None)  # noqa: E731
REFUSED: list[tuple[str, str, Work]] = [
    ("questions", "another question", lambda s: listed.at_once(s, OTHER, ["base"], 1.0, Sampling())),
    ("questions", "askings of one's own", lambda s: list(mirroring._ask(s, "x", "Why a?", "Why b?", "nobody", DRAWN, "w", request()))),
    ("upload", "a file in Curate", lambda s: opening._upload(s)(None, Tools(s.paths), Who(), None)),
    ("upload", "a Hub data set", lambda s: opening._named(s)(None, Tools(s.paths), Who(), "/etc/passwd", "", "train", "")),
    ("upload", "a comparison", lambda s: sharing._opened(s, None)),
    ("upload", "a recipe", lambda s: expert._load(s, None)),
    ("upload", "an adapter", lambda s: exchanging._import(s, None)),
    ("upload", "a prompt set", lambda s: setpage.uploaded(s, "none.csv")),
    ("upload", "a review's questions", lambda s: settingpage.uploaded(s, "none.csv", FORM)),
    ("upload", "human codes", lambda s: judging._coded(s, Who(), "none.csv", None, None)),
    ("upload", "statements", lambda s: measure.Wish([], "quick", None, "none.csv", False).plan(s)),
    ("measure", "a study", lambda s: list(measure._measure(s, Who(), measure.Wish(["left"], "none", None, None, False), "x", 2, None))),
    ("measure", "a series", lambda s: list(series._measure(s, Who(), ("", series.DOSE, "", True, False), "x"))),
    ("measure", "scores by the small model", lambda s: scoring._refuse_visitors(DESK(s), "local model")),
    ("tune", "a run", lambda s: setup._start(s, "nothing", "left", "", "")),
    ("tune", "a group", lambda s: setup._start_group(s, "nothing", "", "", "", 1, False)),
    ("tune", "stopping", lambda s: watch._stop(s, "x")),
    ("tune", "going on", lambda s: watch._resume(s, "x")),
    ("tune", "the queue", watch._cancel),
    ("tune", "an adapter", lambda s: exchanging._import(s, None)),
    ("tune", "a version", lambda s: saving._save(DESK(s))("", "", "", "")),
    ("batch", "a prompt set", lambda s: setwork.chosen_set(s, None, None)),
    ("endpoints", "scores", lambda s: Endpoint(s).client(s.paths, "", "", "", 4)),
    (
        "endpoints",
        "writing",
        lambda s: pairing._writer(Endpoint(s))(SimpleNamespace(rows=[]), Tools(s.paths), *[""] * (len(forms.names(Synthesize)) + 3), 4),
    ),
    ("endpoints", "a judge", lambda s: judging._client(s, "", "", "", 4)),
    ("endpoints", "scores by an endpoint", lambda s: scoring._refuse_visitors(DESK(s), "endpoint")),
    ("review", "a review", lambda s: settingpage.designed(s, FORM)),
    ("review", "anything of reviews", owning.refuse_visitors),
]


def said(work: Work, services: Services) -> str:
    try:
        return unescape(str(work(services)))
    except StudioError as error:
        return str(error)


@pytest.mark.parametrize("feature,what,work", REFUSED, ids=[f"{feature}: {what}" for feature, what, _ in REFUSED])
def test_what_is_not_opened_is_refused_on_the_server_and_what_is_gets_through(feature: str, what: str, work: Work, paths: Paths) -> None:
    others = frozenset(FEATURES) - {feature}
    refused = said(work, services_of(paths, Access(public=True, opened=others)))
    assert FEATURES[feature] in refused and "Traceback" not in refused
    assert not any(
        sentence in said(work, services_of(paths, Access(public=True, opened=frozenset(FEATURES)))) for sentence in FEATURES.values()
    )
    assert not any(sentence in said(work, services_of(paths, Access())) for sentence in FEATURES.values())


def test_every_feature_is_refused_somewhere() -> None:
    assert {feature for feature, *_ in REFUSED} == set(FEATURES)


def test_an_opened_endpoint_is_the_owners_and_never_one_that_a_visitor_names(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    services = services_of(paths, Access(public=True, opened=frozenset({"endpoints"})))
    monkeypatch.delenv("STUDIO_ENDPOINT_URL", raising=False)
    for client in (Endpoint(services).client, lambda _, *given: judging._client(services, *given)):
        with pytest.raises(StudioError, match="No endpoint is set"):
            client(paths, "http://169.254.169.254/v1", "m", "key", 4)  # type: ignore[operator]
    monkeypatch.setenv("STUDIO_ENDPOINT_URL", "http://owner.example/v1")
    monkeypatch.setenv("STUDIO_ENDPOINT_MODEL", "theirs")
    assert "owner.example" in str(vars(judging._client(services, "http://169.254.169.254/v1", "m", "key", 4)))


def test_an_opened_training_takes_no_other_base(paths: Paths) -> None:
    from dataclasses import fields

    from pipelines.tuning.recipe import Recipe

    services = services_of(paths, Access(public=True, opened=frozenset({"tune"})))
    usual = {one.name: getattr(Recipe(), one.name) for one in fields(Recipe)}
    assert setup._allowed(services, "bundled", "", list(usual.values()))[1] == Recipe()
    for base in ("/etc", "owner/model"):
        with pytest.raises(StudioError, match="only the embedded model"):
            setup._allowed(services, "bundled", "", list({**usual, "base": base}.values()))


def test_a_demo_shows_what_is_recorded_and_leaves_the_rest_to_the_model(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    demo, own = services_of(paths, Access(public=True)), services_of(paths, Access())
    base = curated.recorded()[0].last.answers[0].stamp.base_fingerprint
    for services in (demo, own):
        monkeypatch.setattr(services, "loaded", lambda: SimpleNamespace(fingerprint=base))
    shown = listed.at_once(demo, FIRST, curated.KEYS, 1.0, Sampling())
    assert shown and shown.last.question == FIRST
    assert listed.at_once(demo, FIRST, curated.KEYS, 0.8, Sampling()) is None
    assert listed.at_once(demo, FIRST, curated.KEYS, 1.0, Sampling(), "", shown) is None
    assert listed.at_once(own, FIRST, curated.KEYS, 1.0, Sampling()) is listed.at_once(own, OTHER, ["base"], 1.0, Sampling()) is None


def test_a_demo_keeps_no_link_to_what_a_visitor_may_have_made_up(paths: Paths) -> None:
    from dataclasses import replace

    from pipelines.comparing.comparison import Turn

    demo, recorded = services_of(paths, Access(public=True)), curated.recorded()[0]
    first = recorded.last.answers[0]
    forged = Comparison.from_dict(
        replace(recorded, turns=(Turn(FIRST, (replace(first, text="Buy now!"), *recorded.last.answers[1:])),)).as_dict()
    )
    assert "links to recorded answers only" in sharing._link(demo, forged, "http://x/") and not paths.comparisons.exists()
    assert "?comparison=" in sharing._link(demo, recorded, "http://x/") and "?comparison=" in sharing._link(
        services_of(paths, Access()), forged, "/"
    )


def test_live_answers_of_a_demo_are_counted(paths: Paths) -> None:
    demo = services_of(paths, Access(public=True, rate=1))
    demo.access.take(request())
    with pytest.raises(StudioError, match="go on in 10 min"):
        demo.access.take(request())
    asked = list(mirroring._ask(demo, *_listed_asking(), "left", DRAWN, "w", request()))
    assert "go on in 10 min" in asked[-1][0] and demo.host.base is None
    demo.access.take(request("192.0.2.8", "another"))
    services_of(paths, Access()).access.take(request())


def _listed_asking() -> tuple[str, str, str]:
    from pipelines.comparing.mirror import askings

    return askings()[0].id, askings()[0].pro, askings()[0].con


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    yield build_studio(services_of(Paths(tmp_path_factory.mktemp("demo")), Access(public=True)))


@pytest.fixture(scope="module")
def classroom(tmp_path_factory: pytest.TempPathFactory) -> Any:
    services = services_of(Paths(tmp_path_factory.mktemp("class")), Access(teacher_password=PASSWORD))
    return services, build_studio(services)


def parts(page: Any) -> dict[str, Any]:
    return {block.elem_id: block for block in page.blocks.values() if getattr(block, "elem_id", None)}


def test_the_page_of_a_demo_offers_nothing_that_is_refused(demo: Any) -> None:
    found = parts(demo)
    assert not {"set-start", "judge-start", "review-start", "guess-start", "save-version", "runs"} & found.keys()
    assert not found["share-open"].visible and not found["load-recipe"].visible
    assert not found["start-tuning"].interactive and not found["start-group"].interactive and not found["mirror-pro"].interactive
    assert not any(name.endswith("-password") for name in found)


def test_no_program_reaches_more_of_a_demo_than_its_page_does(demo: Any) -> None:
    named = {fn.api_name for fn in demo.fns.values() if fn.api_visibility == "public" and fn.api_name}
    refused = {"open_file", "open_reference", "open_reference_by_enter", "tune", "tune_group"}
    assert refused <= named and not {"save_version"} & named


def press(page: Any, elem_id: str, event: str, asked: Any, *values: Any) -> Any:
    """What the last handler of an event answers to a request."""
    target = parts(page)[elem_id]._id
    fn = [fn for fn in page.fns.values() if (target, event) in fn.targets][-1].fn
    return fn(*special_args(fn, list(values), request=asked)[0])


DELETING = [
    ("delete-run", [None, "", ""]),
    ("version-forget", [None]),
    ("review-close", ["", None, ""]),
    ("guess-end", ["", SimpleNamespace(game="", round=""), ""]),
    ("guess-start", ["", "gone", "", "trio", "together", 3]),
    ("review-start", ["", *vars(FORM).values()]),
]


def told(answer: Any) -> str:
    return unescape(str(list(answer.values()) if isinstance(answer, dict) else answer))


@pytest.mark.parametrize("elem_id,values", DELETING, ids=[name for name, _ in DELETING])
def test_deleting_closing_and_a_class_need_the_password_but_at_the_studios_own_computer(
    classroom: tuple[Services, Any], elem_id: str, values: list[Any]
) -> None:
    services, page = classroom
    if elem_id == "review-start":
        values = ["", *vars(Form(**{**vars(FORM), "kind": "class", "columns": ["gone"]})).values()]
    stranger = request(page=f"page of {elem_id}")
    assert "needs the teacher's password" in told(press(page, elem_id, "click", stranger, *values))
    assert "needs the teacher's password" not in told(press(page, elem_id, "click", HOME, *values))
    with pytest.raises(StudioError):
        services.access.teachers.unlock(unlocking.page_of(services, stranger), "wrong one")
    assert "needs the teacher's password" in told(press(page, elem_id, "click", stranger, *values))
    for field in ("review", "guess", "runs", "versions"):
        cleared, sentence = press(page, f"{field}-unlock", "click", stranger, PASSWORD)
        assert cleared == "" and "unlocked" in sentence
        assert "needs the teacher's password" not in told(press(page, elem_id, "click", stranger, *values))
        press(page, f"{field}-lock", "click", stranger)
        assert "needs the teacher's password" in told(press(page, elem_id, "click", stranger, *values))
        services.access.teachers._tries.of_page._times.clear()
        services.access.teachers._tries.of_all._times.clear()


def test_a_research_review_starts_without_the_password(classroom: tuple[Services, Any]) -> None:
    values = ["", *vars(Form(**{**vars(FORM), "columns": ["gone"]})).values()]
    assert "needs the teacher's password" not in told(press(classroom[1], "review-start", "click", request(), *values))


def test_a_wrong_password_is_told_emptied_and_never_shown_again(classroom: tuple[Services, Any]) -> None:
    cleared, sentence = press(classroom[1], "review-unlock", "click", request(page="w"), "some guess")
    assert cleared == "" and "not the teacher's password" in unescape(sentence) and "some guess" not in sentence
    field = parts(classroom[1])["review-password"]
    assert field.type == "password" and not field.value
    assert PASSWORD not in str(classroom[1].get_config_file())


def test_without_a_password_nothing_changes_but_in_public_nobody_deletes(paths: Paths) -> None:
    own, public = services_of(paths, Access()), services_of(paths, Access(public=True, opened=frozenset({"tune"})))
    unlocking.refuse_unshared(own, request())
    unlocking.refuse_others(public, request())
    with pytest.raises(StudioError, match="neither deleted nor sent"):
        unlocking.refuse_unshared(public, request())
    assert unlocking.sending(own, kept._delete) is kept._delete  # type: ignore[arg-type]
    assert "neither deleted nor sent" in unlocking.sending(public, lambda: "sent")(request())


def test_steps_of_curate_are_counted_in_a_demo_only(paths: Paths) -> None:
    demo, own = services_of(paths, Access(public=True)), services_of(paths, Access())
    for _ in range(STEPS):
        demo.access.take_step(request())
    desk = Desk(demo, *[None] * 6)  # type: ignore[arg-type]
    steps = list(desk._runner(opening._upload(demo), True)(request(), ""))
    assert f"{STEPS} steps in 10 minutes" in steps[-1][1] and demo.access.limiter._times == {}
    for _ in range(STEPS + 1):
        own.access.take_step(request())
