"""The fields of an OpenAI-compatible endpoint, shared by scoring and by writing pairs. The key is never written down."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Any

import gradio as gr

from pipelines.endpoints.chat import KEY_VARIABLE, ChatClient
from pipelines.entries import whole_number
from pipelines.errors import StudioError
from pipelines.paths import Paths
from studio.services import Services
from studio.views import messages

ADDRESS_VARIABLE, MODEL_VARIABLE = "STUDIO_ENDPOINT_URL", "STUDIO_ENDPOINT_MODEL"
MOST_BESIDE = 16


@dataclass
class Endpoint:
    """Address, model, key and how many requests run side by side. A public studio takes them from its environment only."""

    services: Services
    inputs: list[Any] = field(default_factory=list)

    def build(self) -> None:
        """Lays out the fields."""
        public = self.services.public
        words = (
            "This public studio asks only the endpoint that its owner has set, if any."
            if public
            else f"Any server that speaks the OpenAI protocol, on this machine or elsewhere. The key goes into this field or into {KEY_VARIABLE}; it is never written down."
        )
        gr.HTML(messages.note(words), padding=False)
        with gr.Row(visible=not public):
            url = gr.Textbox(
                "" if public else os.environ.get(ADDRESS_VARIABLE, ""),
                label="Address",
                placeholder="http://127.0.0.1:8000/v1",
                elem_id="endpoint-url",
            )
            model = gr.Textbox(
                "" if public else os.environ.get(MODEL_VARIABLE, ""), label="Model", placeholder="its name there", elem_id="endpoint-model"
            )
            key = gr.Textbox("", label="Key", type="password", placeholder="none needed for most local servers", elem_id="endpoint-key")
            side_by_side = gr.Slider(1, MOST_BESIDE, 4, step=1, label="Requests side by side")
        self.inputs = [url, model, key, side_by_side]

    def client(self, paths: Paths, url: str, model: str, key: str, side_by_side: float) -> ChatClient:
        """A client for what the fields say. Raises StudioError where they say too little, or no endpoint is asked here."""
        self.services.access.refuse("endpoints")
        if self.services.public:
            url, model, key = os.environ.get(ADDRESS_VARIABLE, ""), os.environ.get(MODEL_VARIABLE, ""), ""
        if not (url or "").strip():
            raise StudioError("No endpoint is set.", "Write its address, for example http://127.0.0.1:8000/v1, under “Score”.")
        beside = whole_number(side_by_side, "The number of requests side by side", 1, MOST_BESIDE)
        return ChatClient(url, model or "", key or None, cache_folder=paths.replies, concurrency=beside)
