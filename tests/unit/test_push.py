"""What may go to the Hub, and what is sent; no test here talks to it."""

import inspect
from types import SimpleNamespace
from typing import Any

import pytest
from huggingface_hub import HfApi

from pipelines.corpus import layout, versions
from pipelines.corpus.push import Pushed, propose, push
from pipelines.corpus.versions import Dataset
from pipelines.errors import StudioError
from pipelines.paths import Paths
from tests.unit.test_versions import MASK, PAIR, PAIRS, POST, POSTS


class Hub:
    """Writes calls down after holding them against the real client's signatures."""

    def __init__(self, private: bool = True, error: Exception | None = None) -> None:
        self.private, self.error, self.calls = private, error, dict[str, dict[str, Any]]()

    def __getattr__(self, name: str) -> Any:
        def call(**given: Any) -> Any:
            inspect.signature(getattr(HfApi, name)).bind(None, **given)
            self.calls[name] = given
            if self.error:
                raise self.error
            return SimpleNamespace(private=self.private, commit_url=f"https://hub/{given['repo_id']}")

        return call


@pytest.fixture
def token(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    return "hf_secret"


def test_a_push_is_private_and_sends_nothing_but_card_description_and_data(paths: Paths, token: str) -> None:
    folder, hub = versions.save(POSTS, paths), Hub()
    (folder / "data" / "originals.jsonl").write_text("unmasked")
    name = propose(POSTS, "me")
    sent = push(folder, name, api=hub)
    assert name == "me/my-posts-deliberately-biased" and sent.private and sent.url == f"https://hub/{name}"
    assert hub.calls["create_repo"] == {"repo_id": name, "repo_type": "dataset", "private": True, "exist_ok": True, "token": token}
    upload = hub.calls["upload_folder"]
    assert upload["allow_patterns"] == ["README.md", "version.json", *layout.DATA] == list(sent.files) and upload["repo_type"] == "dataset"
    assert all(size == (folder / file).stat().st_size for file, size in sent.files.items())


def test_a_trial_needs_no_token_and_calls_nobody(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HF_TOKEN", raising=False)
    folder, hub = versions.save(PAIRS, paths), Hub()
    assert isinstance(push(folder, "me/it", dry_run=True, api=hub), Pushed) and not hub.calls
    with pytest.raises(StudioError, match="no access token"):
        push(folder, "me/it", api=hub)
    assert not hub.calls


def test_a_private_push_never_lands_in_a_public_repository(paths: Paths, token: str) -> None:
    folder, hub = versions.save(PAIRS, paths), Hub(private=False)
    with pytest.raises(StudioError, match="is public"):
        push(folder, "me/it", api=hub)
    assert "upload_folder" not in hub.calls
    assert not push(folder, "me/it", private=False, api=hub).private and "upload_folder" in hub.calls


PARTLY = {**MASK, "settings": {**MASK["settings"], "links": False}}  # type: ignore[dict-item]
UNMASKED = {
    "posts without masking": (Dataset("p", "posts", POSTS.rows), "not masked are: handles, links"),
    "posts masked in part": (Dataset("p", "posts", POSTS.rows, {"steps": [PARTLY]}), "not masked are: links"),
    "pairs matched from posts": (Dataset("p", "pairs", PAIRS.rows, {"steps": [{"key": "match"}]}), "comes from posts"),
    "pairs said to be from posts": (Dataset("p", "pairs", PAIRS.rows, {"from_posts": True}), "comes from posts"),
    "a handle edited in later": (Dataset("p", "posts", ({**POST, "text": "Ask @ann about it"},), {"steps": [MASK]}), "1 row of .* handle"),
    "an address in a note": (Dataset("p", "pairs", ({**PAIR, "note": "by ann@example.org"},)), r"e-mail address.*\(1\)"),
}


@pytest.mark.parametrize("case", UNMASKED)
def test_what_is_not_masked_is_not_pushed(paths: Paths, token: str, case: str) -> None:
    dataset, sentence = UNMASKED[case]
    hub = Hub()
    with pytest.raises(StudioError, match=sentence) as caught:
        push(versions.save(dataset, paths), "me/it", api=hub)
    assert "Mask people" in caught.value.hint and not hub.calls


def test_masking_that_changes_no_word_still_opens_the_way(paths: Paths) -> None:
    bare = Dataset("my posts", "posts", POSTS.rows)
    folder = versions.save(bare, paths)
    assert versions.save(POSTS, paths) == folder
    assert push(folder, "me/it", dry_run=True).private


def test_a_card_that_hides_what_the_data_is_is_not_pushed(paths: Paths) -> None:
    folder = versions.save(PAIRS, paths)
    readme = folder / layout.CARD
    readme.write_text(readme.read_text(encoding="utf-8").replace("- deliberately-biased\n", ""), encoding="utf-8")
    with pytest.raises(StudioError, match="deliberately biased"):
        push(folder, "me/it", dry_run=True)
    readme.write_text("---\ntags: [\n- x\n---\n# Card\n", encoding="utf-8")
    with pytest.raises(StudioError, match="card can't be read"):
        push(folder, "me/it", dry_run=True)


@pytest.mark.parametrize("name", ["", "it", "me/", "a/b/c", "me/with space", "me/" + "x" * 200])
def test_odd_repository_names_get_a_sentence(paths: Paths, name: str) -> None:
    with pytest.raises(StudioError, match="not the name of a repository"):
        push(versions.save(PAIRS, paths), name, dry_run=True)


def test_a_refusal_of_the_hub_gets_a_sentence_without_the_token(paths: Paths, token: str) -> None:
    hub = Hub(error=OSError(f"403 for {token}\nand more"))
    with pytest.raises(StudioError, match="did not take me/it") as caught:
        push(versions.save(PAIRS, paths), "me/it", api=hub)
    assert token not in str(caught.value) and "more" not in caught.value.message
