"""The folder that files pass through, and what the guard says about a request, without a server."""

from __future__ import annotations

import asyncio
import json
import os
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pipelines.errors import StudioError
from studio import files
from studio.files import Passing, Refused
from studio.guard import Guard, names_address

LIMIT = 1 << 20


@pytest.fixture
def passing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Passing:
    for name in ("GRADIO_TEMP_DIR", "GRADIO_EXAMPLES_CACHE"):
        monkeypatch.setenv(name, str(tmp_path))
    return Passing.create(tmp_path / "home", LIMIT)


def put(path: Path, text: str = "words") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def age(path: Path, hours: float) -> None:
    os.utime(path, (time.time() - hours * 3600,) * 2)


def test_only_what_was_laid_out_is_given(passing: Passing, tmp_path: Path) -> None:
    out, upload = put(passing.root / "ab12" / "answers.csv"), put(passing.uploads / "cd34" / "mine.csv")
    elsewhere = put(tmp_path / "home" / "runs" / "secret")
    (passing.root / "ab12" / "link").symlink_to(elsewhere)
    (passing.root / "to-uploads").symlink_to(passing.uploads)
    assert passing.given(str(out))
    for path in (
        upload, elsewhere, passing.root, passing.root / "ab12", passing.root / "ab12" / "link", passing.root / "to-uploads" / "cd34" / "mine.csv",
        f"{out}/../../uploads/cd34/mine.csv", f"{out}\0", f"{out.parent}//..//..//other/runs/secret", out.name, "", "/etc/passwd", "~/x",
        os.path.relpath(out), f"{passing.root}-other/x", "x" * 5000,
    ):  # fmt: skip
        assert not passing.given(str(path)), path


def test_the_folder_is_the_users_own_and_lies_outside_the_home(passing: Passing, tmp_path: Path) -> None:
    assert passing.root.stat().st_mode & 0o77 == 0 and os.environ["GRADIO_TEMP_DIR"] == str(passing.root)
    with pytest.raises(StudioError, match="TMPDIR"):
        Passing.create(tmp_path, LIMIT)


@pytest.mark.parametrize(
    "size,most,status", [(None, LIMIT, 411), (LIMIT + (2 << 20), LIMIT, 413), (1 << 50, 1 << 60, 507), (10, 0, 403)], ids=str
)
def test_an_upload_that_does_not_fit_is_refused_before_it_comes(passing: Passing, size: int | None, most: int, status: int) -> None:
    passing.refuse(LIMIT)
    with pytest.raises(Refused) as refused:
        Passing(passing.root, most).refuse(size)
    assert refused.value.status == status and str(refused.value).endswith(".")


def test_uploads_fill_a_share_of_the_disk_and_no_more(passing: Passing) -> None:
    for number in range(files.MOST_HELD):
        put(passing.uploads / f"{number}" / "rows.csv", "x" * LIMIT)
    with pytest.raises(Refused, match="too many uploads"):
        passing.refuse(LIMIT)


def test_files_of_other_kinds_are_removed_at_once(passing: Passing) -> None:
    good, bad = put(passing.uploads / "1" / "rows.csv"), put(passing.uploads / "2" / "run.exe")
    passing.refuse_unfit([str(good)])
    with pytest.raises(Refused, match=r"“run\.exe” is of no kind"):
        passing.refuse_unfit([str(good), str(bad)])
    assert not good.exists() and not bad.exists()
    with pytest.raises(Refused, match="at most 20"):
        passing.refuse_unfit([str(put(passing.uploads / f"{n}" / "rows.csv")) for n in range(21)])


def test_what_is_left_over_goes_after_hours_and_what_is_new_stays(
    passing: Passing, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new, half = put(passing.uploads / "1" / "a.csv"), put(passing.uploads / "2" / "b.csv"), put(passing.uploads / "tmp1")
    for path in (old, old.parent, half, passing.uploads):
        age(path, 7)
    passing.sweep()
    assert not old.parent.exists() and not half.exists() and new.exists() and passing.uploads.exists()
    killed, running = put(tmp_path / f"{files.PREFIX}a" / "x"), put(tmp_path / f"{files.PREFIX}b" / "x")
    for path in (killed, killed.parent, running.parent):
        age(path, 7)
    (tmp_path / f"{files.PREFIX}c").symlink_to(tmp_path / "home")
    put(tmp_path / "home" / "kept")
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    Passing.create(tmp_path / "home", LIMIT)
    assert not killed.parent.exists() and running.exists() and (tmp_path / "home" / "kept").exists()


@pytest.mark.parametrize(
    "path,status",
    [
        ("/gradio_api/file=/etc/passwd", 404), ("/studio/gradio_api/file=/etc/passwd", 404), ("/a/b/gradio_api/proxy=http://x", 404),
        ("/gradio_api/deep_link", 404), ("/gradio_api/stream/a/b", 404), ("/config", 200), ("/gradio_api/queue/status", 200),
    ],
)  # fmt: skip
def test_the_guard_stands_before_gradio_below_any_prefix(passing: Passing, path: str, status: int) -> None:
    sent: list[dict[str, Any]] = []

    async def gradio(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    scope = {"type": "http", "path": path, "method": "GET", "headers": [], "app": SimpleNamespace()}
    asyncio.run(Guard(gradio, passing)(scope, None, send))  # type: ignore[arg-type]
    assert sent[0]["status"] == status and b"content-security-policy" in dict(sent[0]["headers"])
    assert scope["app"].uploaded_file_dir == str(passing.uploads)


FILE = {"path": "http://10.0.0.1/x", "meta": {"_type": "gradio.FileData"}}


@pytest.mark.parametrize(
    "body",
    [
        json.dumps({"data": [FILE]}).encode(),
        json.dumps({"data": [{"deep": [[FILE]]}]}).encode(),
        json.dumps({"data": [FILE]}).replace("FileData", r"File\u0044ata").encode(),
        json.dumps({"data": [FILE]}).encode("utf-16"),
        json.dumps({"data": [{**FILE, "path": "HTTPS://example.org/x"}]}).encode(),
        b'{"FileData": ' + b"[" * 100_000,
    ],
    ids=["plain", "deep", "escaped", "utf-16", "capitals", "nested"],
)
def test_a_file_at_an_address_is_seen_however_it_is_written(body: bytes) -> None:
    assert names_address(body)


def test_words_about_addresses_and_uploads_go_through() -> None:
    fine = {"data": ["see http://example.org FileData", {**FILE, "path": "/tmp/uploads/a.csv", "orig_name": "http.csv"}]}
    assert not names_address(json.dumps(fine).encode()) and not names_address(b"no json FileData") and not names_address(b"{}")
