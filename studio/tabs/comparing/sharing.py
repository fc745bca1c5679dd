"""Taking a comparison along: files that carry stamps and the mark, a picture, a link that opens it again."""

from __future__ import annotations

import json
from collections.abc import Callable
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr

from pipelines.comparing.comparison import Comparison, keep
from pipelines.errors import StudioError
from pipelines.export import comparator, comparison, picture
from studio.services import Services
from studio.tabs.comparing import listed
from studio.tabs.comparing.choosing import QUIETLY
from studio.tabs.tuning.downloads import passing_folder
from studio.telling import told
from studio.views import messages

LINK = "comparison"
COMPARATOR = "LLM Comparator (two columns)"
PICTURE = "Picture (PNG)"
TEXTS: dict[str, tuple[str, Callable[[Comparison], str]]] = {
    "Markdown": ("md", comparison.to_markdown),
    "CSV (for a spreadsheet)": ("csv", comparison.to_csv),
    "JSONL (whole, can be opened here again)": ("jsonl", comparison.to_jsonl),
}
FORMATS = [PICTURE, *TEXTS, COMPARATOR]
UNHARMED = "The comparison is unharmed; try again."
NOTHING = StudioError("There is nothing to take along yet.", "Press “Ask all” first.")
MOST_BYTES = 2_000_000


def build(services: Services, talk: gr.State) -> dict[str, Any]:
    """Lays out the block; returns the event after which an opened file is to be shown, and where it then is."""
    with gr.Accordion("Take it along: file, picture, link", open=False, elem_id="sharing"):
        with gr.Row():
            kind = gr.Dropdown(FORMATS, value=PICTURE, label="Format", elem_id="share-format", min_width=220)
            first = gr.Dropdown([], label="A", visible=False, elem_id="share-a", min_width=140)
            second = gr.Dropdown([], label="B", visible=False, elem_id="share-b", min_width=140)
            with gr.Column(min_width=160):
                make = gr.Button("Make the file", size="sm", elem_id="share-make")
                link = gr.Button("Make a link", size="sm", elem_id="share-link")
                upload = gr.UploadButton(
                    "Open a JSONL file", file_types=[".jsonl"], size="sm", elem_id="share-open", visible=services.access.allows("upload")
                )
        file = gr.File(label="The file", visible=False, interactive=False, elem_id="share-file", height=70)
        told = gr.HTML(padding=False, elem_id="share-told")
        address = gr.Textbox(visible=False)
        found = gr.State(None)
    kind.change(_sides, [kind, talk], [first, second], **QUIETLY)
    talk.change(_sides, [kind, talk], [first, second], **QUIETLY)
    talk.change(lambda: (gr.update(value=None, visible=False), ""), None, [file, told], **QUIETLY)
    make.click(_make, [talk, kind, first, second], [file, told], **QUIETLY)
    link.click(
        lambda one, here: _link(services, one, here),
        [talk, address],
        told,
        js="(talk, here) => [talk, location.origin + location.pathname]",
        **QUIETLY,
    )
    event = upload.upload(lambda path: _opened(services, path), upload, [found, told], **QUIETLY)
    return {"opened": event, "found": found}


def _sides(kind: str, talk: Comparison | None) -> tuple[Any, Any]:
    """LLM Comparator shows two columns: which ones."""
    names = [answer.column for answer in talk.last.answers] if talk else []
    wanted = kind == COMPARATOR and len(names) > 1
    return (
        gr.update(choices=names, value=names[0] if names else None, visible=wanted),
        gr.update(choices=names, value=names[1] if len(names) > 1 else None, visible=wanted),
    )


def _make(talk: Comparison | None, kind: str, first: str | None, second: str | None) -> tuple[Any, str]:
    try:
        if talk is None:
            raise NOTHING
        name, content = _content(talk, kind, first or "", second or "")
        target = passing_folder() / f"comparison-{talk.id[:8]}.{name}"
        target.write_bytes(content)
    except Exception as error:
        return gr.update(visible=False), told(error, UNHARMED, "The file could not be made")
    return gr.update(value=str(target), visible=True), messages.note("Every answer in it carries its stamp and the mark of its column.")


def _content(talk: Comparison, kind: str, first: str, second: str) -> tuple[str, bytes]:
    if kind == PICTURE:
        return "png", picture.card(talk)
    if kind in TEXTS:
        ending, text = TEXTS[kind]
        return ending, text(talk).encode("utf-8", errors="replace")
    return "json", json.dumps(comparator.comparison_comparator(talk, first, second), ensure_ascii=False, indent=1).encode(
        "utf-8", "replace"
    )


def _link(services: Services, talk: Comparison | None, here: str) -> str:
    try:
        if talk is None:
            raise NOTHING
        listed.refuse_forged(services, talk)
        address = f"{here}?{LINK}={keep(talk, services.paths)}"
    except Exception as error:
        return told(error, UNHARMED, "The link could not be made")
    return f'<div class="ps-good">It opens in this studio as long as the studio keeps it: <a href="{escape(address)}">{escape(address)}</a></div>'


def _opened(services: Services, path: str | None) -> tuple[Comparison | None, str]:
    try:
        services.access.refuse("upload")
    except StudioError as error:
        return None, messages.error(error)
    return _read(path)


def _read(path: str | None) -> tuple[Comparison | None, str]:
    """A comparison from a file that was taken along; its seals are checked."""
    try:
        if not path or Path(path).stat().st_size > MOST_BYTES:
            raise StudioError("The file is missing or too large.", "Choose a JSONL file of one comparison.")
        found = comparison.from_jsonl(Path(path).read_text(encoding="utf-8"))
        return found, messages.good("Its words and stamps belong together; it is open above.")
    except UnicodeDecodeError:
        return None, messages.error(StudioError("The file is not UTF-8 text.", "Choose a JSONL file that was made here."))
    except Exception as error:
        return None, told(error, what="The file could not be opened")
