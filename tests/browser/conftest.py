"""One studio and one browser for all modules that change nothing that another one counts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from pipelines.models import prepare
from pipelines.paths import Paths
from tests.browser.driver import browser, studio


@pytest.fixture(scope="session")
def place(model_home: Paths, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, str]]:
    """Chromium and the address of a studio; every page has a browser memory of its own."""
    home = Paths(tmp_path_factory.mktemp("browser"))
    home.models.mkdir()
    prepare.converted_folder(home).symlink_to(prepare.converted_folder(model_home))
    with studio(home.root) as url, browser() as chromium:
        yield chromium, url
