"""What the endpoints for programs give, as types that `Client.view_api()` shows, and the checks of what they are given."""

from typing import Any, TypedDict

from pipelines.entries import shown
from pipelines.errors import StudioError
from studio.services import Services


class Listed(TypedDict):
    """A column: the key by which it is asked for, and its name."""

    key: str
    name: str


class Said(TypedDict):
    """What one column answered. `finished` is "eos", "length" or "stopped"; `seal` is a hash over words and stamp together."""

    column: str
    prompt: str
    text: str
    tokens: int
    finished: str
    stamp: dict[str, Any]
    seal: str


class Standing(TypedDict):
    """Where a run stands: one of waiting, queued, starting, training, finished, stopped, failed, interrupted."""

    run: str
    state: str
    message: str
    side: str
    data: str
    step: int
    steps: int
    metrics: dict[str, Any]


class Placed(TypedDict):
    """Texts on the ruler: -1 and +1 are where left and right answers of the studio's own data lie on average."""

    n: int
    scores: list[dict[str, float]]
    mean: dict[str, float]
    reads: str


def known_columns(services: Services, columns: Any) -> list[str]:
    """The keys. Raises StudioError for one that stands for nothing here, which a plan would leave out without a word."""
    wanted, listed = texts_of(columns, "The columns"), services.catalog()
    gone = [key for key in wanted if not listed.find(key)]
    if gone:
        raise StudioError(f"There is no column “{shown(gone[0])}”.", "list_columns names those that there are.")
    return wanted


def text_of(value: Any, what: str) -> str:
    """The text itself. Raises StudioError naming `what` for anything else: Gradio hands on whatever a program sends."""
    if not isinstance(value, str):
        raise StudioError(f"{what} is {shown(value)}.", "Give a text.")
    return value


def texts_of(value: Any, what: str) -> list[str]:
    """The same for a list of texts."""
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise StudioError(f"{what} are {shown(value)}.", "Give a list of texts.")
    return value
