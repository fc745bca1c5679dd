"""One browser for all modules, and one studio for those that change nothing that another one counts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from pipelines.models import prepare
from pipelines.paths import Paths
from tests.browser.driver import browser, studio


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    with browser() as made:
        yield made


@pytest.fixture(scope="session")
def place(chromium: Any, model_home: Paths, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, str]]:
    """Chromium and the address of a studio; every page has a browser memory of its own."""
    home = Paths(tmp_path_factory.mktemp("browser"))
    home.models.mkdir()
    prepare.converted_folder(home).symlink_to(prepare.converted_folder(model_home))
    with studio(home.root) as url:
        yield chromium, url
