"""Take out and bring in: an adapter as a zip, to the Hub, and from somebody else through the gate."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

import gradio as gr

from pipelines.errors import StudioError
from pipelines.models.facts import base_facts
from pipelines.tuning import runs
from pipelines.tuning.run import Run
from pipelines.tuning.sharing import exchange, publish
from pipelines.tuning.shelf import history
from studio.services import Services
from studio.tabs.tuning.downloads import passing_folder
from studio.tabs.tuning.expert import QUIET
from studio.tabs.unlocking import sending
from studio.telling import told
from studio.views import messages
from studio.views.versions import pushed

USED = "the adapter that is used"


def in_hand(services: Services, run_id: str | None) -> Run:
    """The run of that id. Raises StudioError where none is in hand."""
    if not run_id:
        raise StudioError("No run is in hand.", "Press one in the list.")
    return runs.find(run_id, services.paths)


def take_out(services: Services, chosen: Any) -> None:
    """The pane for exports and pushes; what it shows belongs to the run in hand and goes when another is taken."""
    gr.HTML(
        messages.note("A zip that plain PEFT loads, with a card that says “deliberately biased”. Nothing of this machine is in it."),
        padding=False,
    )
    with gr.Row():
        step = gr.Dropdown([USED], value=USED, label="Which adapter", elem_id="export-step", min_width=180)
        make = gr.Button("Make the zip", size="sm", elem_id="export", min_width=120)
    file = gr.File(label="The adapter as a file", visible=False, interactive=False, height=70, elem_id="exported")
    out = gr.HTML(padding=False, elem_id="export-said")
    make.click(lambda one, at: _export(services, one, at), [chosen, step], [file, out], **QUIET)
    gr.HTML(messages.note("To the Hub: private unless you say otherwise. The token is read from HF_TOKEN."), padding=False)
    with gr.Row():
        repo = gr.Textbox(label="Repository", placeholder="you/deliberately-biased-name", min_width=220, elem_id="push-repo")
        public = gr.Checkbox(False, label="Public", min_width=90)
        dry = gr.Checkbox(True, label="Only show what would be sent", min_width=150)
        send = gr.Button("Push", size="sm", elem_id="push-adapter", min_width=90)
    sent = gr.HTML(padding=False)
    send.click(sending(services, lambda *v: _push(services, *v)), [chosen, repo, public, dry], sent, **QUIET)
    chosen.change(lambda one: _fresh(services, one), chosen, [step, file, out, repo, sent], **QUIET)


def bring_in(services: Services) -> Any:
    """The pane for imports; returns the event after which there may be one more adapter."""
    gr.HTML(
        messages.note(
            "A zip or the two files of a plain LoRA (adapter_config.json and adapter_model.safetensors). It is checked before anything is loaded: "
            "other kinds of files, other base models and settings that could change the base are refused."
        ),
        padding=False,
    )
    files = gr.File(label="Adapter", file_count="multiple", file_types=[".zip", ".json", ".safetensors"], height=110, elem_id="import", visible=services.access.allows("upload"))  # fmt: skip
    said = gr.HTML(elem_id="imported", padding=False)
    return files.upload(lambda given: _import(services, given), files, said, **QUIET)


def _fresh(services: Services, run_id: str | None) -> tuple[Any, ...]:
    try:
        run = in_hand(services, run_id)
        steps = [f"step {one.step}" for one in history.checkpoints(run) if not one.is_kept]
        repo = publish.propose(run, "you")
    except Exception:  # a run that can't be read has nothing to take out
        steps, repo = [], ""
    return gr.update(choices=[USED, *steps], value=USED), gr.update(value=None, visible=False), "", repo, ""


def _export(services: Services, run_id: str | None, which: str) -> tuple[Any, str]:
    try:
        step = None if which == USED else int(which.removeprefix("step "))
        made = exchange.export(in_hand(services, run_id), passing_folder(), step)
    except Exception as error:
        return gr.update(value=None, visible=False), told(error)
    return gr.update(value=str(made), visible=True), messages.good(f"{made.name} is ready.")


def _push(services: Services, run_id: str | None, repo: str, public: bool, dry: bool) -> str:
    try:
        run = in_hand(services, run_id)
        return pushed(publish.push(run, repo or publish.propose(run, "you"), private=not public, dry_run=dry))
    except Exception as error:
        return told(error)


def _import(services: Services, given: list[str] | None) -> str:
    try:
        services.access.refuse("upload")
        services.access.refuse("tune")
        with tempfile.TemporaryDirectory() as folder:
            base = base_facts(services.host.load().folder, services.host.source.public_id)
            brought = exchange.bring_in(_together(given or [], Path(folder) / "adapter"), services.paths, base)
    except Exception as error:
        return told(error)
    warning = messages.info(brought.warning) if brought.warning else ""
    return messages.good(f"{brought.name} passed the gate; it can be chosen as a column in Compare and Stance.") + warning


def _together(given: list[str], folder: Path) -> Path:
    """One zip as it is; loose files in a folder of their own."""
    if len(given) == 1 and given[0].lower().endswith(".zip"):
        return Path(given[0])
    folder.mkdir()
    for path in given:
        shutil.copyfile(path, folder / Path(path).name)
    return folder
