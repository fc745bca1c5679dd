"""The real client performs a plan against a server of this machine: what arrives there is what the Hub would get."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from huggingface_hub import HfApi, constants

from pipelines.deploying import performing, plan, spec


class Recorder(BaseHTTPRequestHandler):
    """Notes every request and answers what the client wants to read."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        self.server.seen.append((self.command, self.path, json.loads(body) if body else None, self.headers["authorization"]))  # type: ignore[attr-defined]
        place = "/buckets/me/politune-data" if "buckets" in self.path else "/spaces/me/politune"
        made = {"url": f"{self.server.address}{place}", "stage": "BUILDING"}  # type: ignore[attr-defined]
        self._answer({} if self.path.endswith("variables") else made)

    do_PUT = do_POST

    def do_GET(self) -> None:
        self._answer({"id": "me/politune-data", "private": True, "createdAt": "2026-11-22T10:00:00.000Z", "size": 0, "totalFiles": 0})

    def _answer(self, value: Any) -> None:
        content = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        """Nothing."""


@pytest.fixture
def server() -> Iterator[Any]:
    made: Any = HTTPServer(("127.0.0.1", 0), Recorder)
    made.seen, made.address = [], f"http://127.0.0.1:{made.server_port}"
    threading.Thread(target=made.serve_forever, daemon=True).start()
    yield made
    made.shutdown()
    made.server_close()


def test_what_arrives_is_what_was_planned(server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(plan, "parcel", lambda *_: plan.Parcel({}, {"README.md": "text"}, {}))
    monkeypatch.setenv("HF_TOKEN", "hf_verysecret")
    monkeypatch.setenv("STUDIO_TEACHER_PASSWORD", "battery-staple")
    api, uploads = HfApi(endpoint=server.address), list[dict[str, Any]]()
    monkeypatch.setattr(api, "upload_folder", lambda **given: uploads.append(given))
    performing.perform(plan.make(spec.read(), "cpu-upgrade", "me/politune", "private"), api)
    sent = {path.removeprefix("/api/"): body for _, path, body, _ in server.seen if not path.endswith("variables")}
    volumes = [{"type": "bucket", "source": "me/politune-data", "mountPath": "/data"}]
    assert sent == {
        "buckets/me/politune-data": {"visibility": "private"},
        "repos/create": {
            "name": "politune", "organization": "me", "type": "space", "sdk": "gradio", "hardware": "cpu-upgrade",
            "visibility": "private", "volumes": volumes,
        },
        "spaces/me/politune/settings": {"visibility": "private"},
        "spaces/me/politune/volumes": {"volumes": volumes},
        "spaces/me/politune/secrets": {"key": "STUDIO_TEACHER_PASSWORD", "value": "battery-staple"},
        "spaces/me/politune/hardware": {"flavor": "cpu-upgrade", "sleepTimeSeconds": 3600},
    }  # fmt: skip
    variables = {body["key"]: body["value"] for _, path, body, _ in server.seen if path.endswith("variables")}
    assert variables["STUDIO_HOME"] == "/data/studio" and {token for *_, token in server.seen} == {"Bearer hf_verysecret"}
    assert len(uploads) == 1 and uploads[0]["repo_type"] == "space"
