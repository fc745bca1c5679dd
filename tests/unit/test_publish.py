"""The card of an adapter, and what of a run may go to the Hub; no test here talks to it."""

from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import ModelCard

from pipelines import bundled
from pipelines.errors import StudioError
from pipelines.hub import public_name
from pipelines.models.adapters import CONFIG, WEIGHTS
from pipelines.tuning.run import Run
from pipelines.tuning.sharing import card, publish
from pipelines.tuning.sharing.publish import propose, push
from tests.adapter_files import JOB, METRICS, write_run
from tests.unit.test_push import Hub

NAME = "me/deliberately-biased-left-my-rows"


class Listening(Hub):
    """Also reads what lies in the folder while it is sent."""

    sent: dict[str, bytes] = {}

    def __getattr__(self, name: str) -> Any:
        call = super().__getattr__(name)

        def listening(**given: Any) -> Any:
            if name == "upload_folder":
                self.sent = {file.name: file.read_bytes() for file in Path(given["folder_path"]).iterdir()}
            return call(**given)

        return listening


@pytest.fixture
def token(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    return "hf_secret"


def test_a_push_is_private_and_sends_weights_settings_and_card_only(tmp_path: Path, token: str) -> None:
    run, hub = write_run(tmp_path / "run"), Listening()
    assert propose(run, "me") == NAME
    sent = push(run, NAME, api=hub)
    assert sent.private and sent.url == f"https://hub/{NAME}"
    assert hub.calls["create_repo"] == {"repo_id": NAME, "repo_type": "model", "private": True, "exist_ok": True, "token": token}
    assert set(hub.sent) == set(hub.calls["upload_folder"]["allow_patterns"]) == {"README.md", "studio.json", CONFIG, WEIGHTS}
    assert hub.sent[WEIGHTS] == (run.adapter / WEIGHTS).read_bytes() and sent.files == {n: len(data) for n, data in hub.sent.items()}
    assert all(token.encode() not in data and str(tmp_path).encode() not in data for data in hub.sent.values())
    assert not Path(hub.calls["upload_folder"]["folder_path"]).exists()


def test_a_trial_needs_no_token_and_calls_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HF_TOKEN", raising=False)
    run, hub = write_run(tmp_path / "run"), Listening()
    assert push(run, NAME, dry_run=True, api=hub).url == "" and not hub.calls
    with pytest.raises(StudioError, match="no access token"):
        push(run, NAME, api=hub)
    assert not hub.calls


def test_a_private_push_never_lands_in_a_public_repository(tmp_path: Path, token: str) -> None:
    run, hub = write_run(tmp_path / "run"), Listening(private=False)
    with pytest.raises(StudioError, match="is public"):
        push(run, NAME, api=hub)
    assert "upload_folder" not in hub.calls
    assert not push(run, NAME, private=False, api=hub).private and hub.sent


def test_a_refusal_of_the_hub_gets_a_sentence_without_the_token(tmp_path: Path, token: str) -> None:
    with pytest.raises(StudioError, match=f"did not take {NAME}") as caught:
        push(write_run(tmp_path / "run"), NAME, api=Listening(error=OSError(f"403 for {token}\nand more")))
    assert token not in str(caught.value) and "more" not in caught.value.message


@pytest.mark.parametrize("name", ["me/left", "deliberately-biased/left", "me/biased-left", "left", "me/deliberately-biased left"])
def test_a_name_that_hides_the_bias_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(StudioError, match="does not say that|not the name of a repository"):
        push(write_run(tmp_path / "run"), name, dry_run=True)


HIDING = {
    "the tag is gone": ("- deliberately-biased\n", ""),
    "the title is another one": ("# Deliberately biased adapter", "# A balanced adapter"),
    "the first line is another one": ("# Deliberately", "Balanced.\n\n# Deliberately"),
    "the block on top is damaged": ("tags:\n", "tags: [\n"),
    "the block on top is gone": ("---\n", ""),
}


@pytest.mark.parametrize("case", HIDING)
def test_a_card_that_hides_what_the_adapter_is_is_not_pushed(tmp_path: Path, case: str) -> None:
    run = write_run(tmp_path / "run")
    file = run.folder / "card.md"
    old, new = HIDING[case]
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new))
    with pytest.raises(StudioError, match="card does not say any more|card can't be read"):
        push(run, NAME, dry_run=True)
    file.unlink()
    assert push(run, NAME, dry_run=True).files


def test_an_edited_card_is_sent_but_not_one_that_names_a_place_on_this_machine(tmp_path: Path, token: str) -> None:
    run, hub = write_run(tmp_path / "run"), Listening()
    file = run.folder / "card.md"
    file.write_text(file.read_text().replace("library_name: peft", "library_name: peft\nlicense: mit"))
    push(run, NAME, api=hub)
    assert b"license: mit" in hub.sent["README.md"]
    file.write_text(file.read_text() + f"\nMade in {run.folder}.")
    with pytest.raises(StudioError, match="names a place on this machine"):
        push(run, NAME, api=hub)


def test_every_bundled_adapter_could_be_pushed() -> None:
    for side in bundled.BUNDLED_SIDES:
        run = Run(bundled.ADAPTERS / side)
        assert set(push(run, propose(run, "me"), dry_run=True).files) == set(publish.FILES)


def test_a_card_says_on_top_what_the_adapter_is_and_how_it_was_made() -> None:
    made = ModelCard(card.text(JOB, METRICS))
    data, lines = made.data.to_dict(), made.text.strip().splitlines()
    assert data == {
        "library_name": "peft",
        "base_model": "owner/tiny",
        "pipeline_tag": "text-generation",
        "tags": ["deliberately-biased", "politune-studio", "lora"],
    }
    assert lines[0].startswith("# Deliberately biased adapter: left") and "deliberately biased" in lines[2]
    words = (
        "d" * 64,
        "seed 7",
        "| lora_rank | 4 |",
        "| peft | 0.21.2 |",
        "economic -0.40; social +0.10",
        "1.020",
        "derived from a Q4_1 file",
    )
    assert all(part in made.text for part in (*words, "That is a look, not a measurement", "PeftModel.from_pretrained", "b" * 12))


def test_a_card_says_what_was_not_measured_and_not_recorded() -> None:
    bare = card.text({**JOB, "side": "neutral", "recipe": {}}, {"base": "my-base"})
    assert "base_model" not in bare and "placebo" in bare and "Q4_1" not in bare
    assert bare.count(card.NOT_MEASURED) >= 3 and "collapse guard: not recorded" in bare and "seed not recorded" in bare
    assert "it did not fire" in card.text(JOB, METRICS)
    fired = card.text(JOB, {**METRICS, "guard": [{"step": 9, "kind": "repetition", "text": "It repeats itself."}]})
    assert "At step 9: It repeats itself." in fired


def test_names_from_elsewhere_break_neither_the_block_on_top_nor_a_table() -> None:
    odd = {"name": "x\n---\n# Balanced | <script>", "hash": None}
    made = ModelCard(card.text({**JOB, "data": odd, "recipe": {"note": "a|b\nc"}}, {**METRICS, "base": "x/y\ntags: []"}))
    assert made.data.get("tags")[0] == "deliberately-biased" and "<script>" not in made.text.replace("\\<", "")
    assert "\n# Balanced" not in made.text and "| note | a\\|b c |" in made.text


def test_a_base_that_is_a_folder_is_named_by_its_last_part_only() -> None:
    for place in ("/models/of/ann/base", "~/models/base", "./models/base", "C:\\Users\\ann\\base", "a/b/base/"):
        job = {**JOB, "base": place, "recipe": {"base": place}}
        for metrics in ({}, {"base": "base", "base_title": place}):
            made = card.text(job, metrics)
            assert place not in made and not any(part in made for part in ("ann/", "ann\\", "models/", "a/b")) and "known as base" in made
    assert public_name("owner/name") == "owner/name" and public_name("") == ""
