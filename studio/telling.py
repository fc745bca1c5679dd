"""Any error as a sentence on the page, never a traceback: what handlers say themselves, and the net below them for what they don't catch."""

from __future__ import annotations

import time
from collections import OrderedDict
from html import escape
from typing import Any

import gradio as gr
from gradio_client.exceptions import AppError

from pipelines import incidents
from pipelines.errors import Cancelled, StudioError
from studio.views import messages

QUIET = 60.0  # seconds within which a page that looks by itself is told the same words once
MOST_REMEMBERED = 500
GO_ON = "Press the same button to go on; finished parts are not done again."
NOT_OFFERED = "is not in the list of choices"
CHOICE_IS_GONE = "What was chosen is not offered any more. Load the page again, and choose anew."
UNREADABLE = StudioError("What was sent can't be read here.", "Load the page again; a program asks `Client.view_api()` what is expected.")


def told(error: BaseException, then: str = "Nothing was changed; try again.", what: str = "This broke off", stopped: str = GO_ON) -> str:
    """Any error as HTML: what is wrong and what to do; what is nobody's mistake gets a code, and stands under it in the log."""
    if isinstance(error, Cancelled):
        return messages.info(f"Stopped. {stopped}")
    return messages.error(incidents.unexpected(error, what, then))


class Studio(gr.Blocks):
    """Blocks whose handlers never show a raw error, neither on the page nor to a program that calls them."""

    def __init__(self, *values: Any, **options: Any) -> None:
        super().__init__(*values, **options)
        self._told: OrderedDict[tuple[str, str], float] = OrderedDict()

    async def process_api(self, block_fn: Any, *values: Any, **options: Any) -> dict[str, Any]:
        """What Gradio calls for every event, and again for every step of a generator; here it raises nothing but a toast with a sentence."""
        fn = self.fns[block_fn] if isinstance(block_fn, int) else block_fn
        try:
            return await super().process_api(fn, *values, **options)
        except AppError as error:  # a handler's own toast, or Gradio's about a value that is not allowed
            error.print_exception = False
            error.message = CHOICE_IS_GONE if NOT_OFFERED in str(error.message) else error.message
            raise
        except Exception as error:
            raise self._toast(error, fn, options.get("session_hash") or "") from None

    async def preprocess_data(self, block_fn: Any, *values: Any, **options: Any) -> list[Any]:
        """A value that its component can't read is the sender's mistake: it gets no code, and one line in the log."""
        try:
            return await super().preprocess_data(block_fn, *values, **options)
        except (AppError, StudioError):
            raise
        except Exception as error:
            if isinstance(error.__cause__, (OSError, MemoryError)):  # the machine's fault, not the sender's
                raise error.__cause__ from None
            incidents.LOG.warning("unreadable values for %s: %s", block_fn.api_name, str(error)[:300])
            raise UNREADABLE from error

    def _toast(self, error: Exception, fn: Any, session: str) -> gr.Error:
        name, by_itself = self._pressed(fn), any(event == "tick" for _, event in fn.targets)
        what = f"“{name}” broke off" if name else "What this page renews by itself broke off" if by_itself else "This broke off"
        said = incidents.unexpected(error, what)
        words = escape(f"{said.message} {said.hint}".strip(), quote=False)
        shown = not (by_itself and self._has_heard(session, words))
        return gr.Error(words, duration=20, visible=shown, title=_title(error), print_exception=False)

    def _pressed(self, fn: Any) -> str:
        """The words on the button that was pressed; "" where it was none."""
        pressed = [self.blocks.get(block_id) for block_id, event in fn.targets if event == "click"]
        return next((block.value for block in pressed if isinstance(block, gr.Button) and isinstance(block.value, str)), "")

    def _has_heard(self, session: str, words: str) -> bool:
        """Whether this page was told the same a moment ago."""
        now, key = time.monotonic(), (session, words)
        if now - self._told.get(key, -QUIET) < QUIET:
            return True
        self._told[key] = now
        self._told.move_to_end(key)
        while len(self._told) > MOST_REMEMBERED:
            self._told.popitem(last=False)
        return False


def _title(error: Exception) -> str:
    if isinstance(error, Cancelled):
        return "Stopped"
    return "This can't be done" if isinstance(error, StudioError) else "Something went wrong"
