"""Curate behind its API: visitors don't see each other's drafts, and a public studio keeps its machine to itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from gradio_client import Client, handle_file

from pipelines.paths import Paths
from studio.app import build_studio
from studio.services import Services


def launched(model_home: Paths, **environment: str) -> Iterator[str]:
    patch = pytest.MonkeyPatch()
    for name, value in {"STUDIO_HOME": str(model_home.root), **environment}.items():
        patch.setenv(name, value)
    studio = build_studio(Services.create())
    _, url, _ = studio.queue().launch(prevent_thread_lock=True, quiet=True, ssr_mode=False, server_name="127.0.0.1", server_port=None)
    yield url
    studio.close()
    patch.undo()


@pytest.fixture(scope="module")
def url(model_home: Paths) -> Iterator[str]:
    yield from launched(model_home)


@pytest.fixture(scope="module")
def public(model_home: Paths) -> Iterator[str]:
    yield from launched(model_home, STUDIO_PUBLIC="1", STUDIO_OPEN="upload")


def said(answer: object) -> str:
    return str(answer)


def test_each_visitor_has_a_draft_of_their_own(url: str) -> None:
    one, other = Client(url, verbose=False), Client(url, verbose=False)
    one.predict(api_name="/open_bundled_confounded")
    assert "There are no pairs to check yet" in said(other.predict(api_name="/check"))
    other.predict(api_name="/open_bundled")
    assert "over 96 rows" in said(one.predict(api_name="/check"))
    assert "over 192 rows" in said(other.predict(api_name="/check"))


def test_a_step_on_nothing_gets_a_sentence(url: str) -> None:
    assert "Nothing is open yet" in said(Client(url, verbose=False).predict(api_name="/undo"))


def test_a_file_is_opened_in_one_step_and_a_broken_one_says_its_line(url: str, tmp_path: Path) -> None:
    good, bad = tmp_path / "good.csv", tmp_path / "bad.jsonl"
    good.write_text("post\nRents are too high here\nTaxes should fall soon\n")
    bad.write_text('{"text": "one"}\n{"text": \n')
    visitor = Client(url, verbose=False)
    assert "error" not in said(visitor.predict(handle_file(str(good)), api_name="/open_file"))
    answer = said(visitor.predict(handle_file(str(bad)), api_name="/open_file"))
    assert "Line 2" in answer and "Traceback" not in answer


def test_a_public_studio_opens_no_path_and_no_more_rows_than_it_says(public: str, tmp_path: Path) -> None:
    visitor = Client(public, verbose=False)
    for path in ("/etc/passwd", "assets/data", "../x", "~/y"):
        assert "be opened here" in said(visitor.predict(path, "", "train", "", api_name="/open_reference"))
    many = tmp_path / "many.csv"
    many.write_text("text\n" + "".join(f"post number {n} about rents\n" for n in range(6_000)))
    assert "more than 5,000 rows" in said(visitor.predict(handle_file(str(many)), api_name="/open_file"))
    assert "Nothing is open yet" in said(visitor.predict(api_name="/undo"))


def test_a_public_studio_offers_no_saving(public: str) -> None:
    offered = Client(public, verbose=False).view_api(return_format="dict", print_info=False)["named_endpoints"]
    assert "/save_version" not in offered and "/check" in offered
