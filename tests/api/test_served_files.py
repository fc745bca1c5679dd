"""Nothing that is not meant for visitors can be fetched, sent in by path, or reached through Gradio's other routes."""

from __future__ import annotations

import http.client
import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from urllib.parse import quote, urlsplit

import httpx
import pytest
from gradio_client import Client, handle_file

from pipelines.paths import PROJECT
from tests.api.conftest import MARK, PRIVATE, SECRETS, Planted

UPLOADED = "what one visitor uploaded and nobody else may read"
TELLTALE = [MARK, *SECRETS.values(), UPLOADED, "root:x:0", "root:*:", "def main() -> int:", "gradio>=", "repositoryformatversion", "PATH=/"]
ROUTES = ("/gradio_api/file=", "/gradio_api/file/", "/file=", "/file/")
OTHERS = (
    "/gradio_api/deep_link?session_hash=x", "/gradio_api/runs", "/gradio_api/run-history/records", "/gradio_api/process_recording",
    "/gradio_api/custom_component/x/server/component/index.js", "/gradio_api/dev/reload", "/monitoring/summary", "/pwa_icon",
    "/static/../../../../../../etc/passwd", "/static/%2e%2e/%2e%2e/%2e%2e/%2e%2e/%2e%2e/etc/passwd", "/assets/..%2f..%2f..%2f..%2fetc%2fpasswd",
    "/svelte/..%5c..%5cetc%5cpasswd", "/gradio_api/stream/x/y/1/../../../../etc/passwd", "/?deep_link=../uploads", "/gradio_api/stream/..%2fx",
)  # fmt: skip


def fetch(url: str, path: str, method: str = "GET", **headers: str) -> tuple[int, bytes]:
    """One request with its path exactly as given: no client tidies it up."""
    place = urlsplit(url)
    connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=20)
    connection.putrequest(method, path, skip_accept_encoding=True)
    for name, value in headers.items():
        connection.putheader(name.replace("_", "-"), value)
    connection.endheaders()
    answer = connection.getresponse()
    return answer.status, answer.read()


def upload(url: str, name: str, content: bytes = UPLOADED.encode()) -> httpx.Response:
    return httpx.post(f"{url}/gradio_api/upload", files={"files": (name, content)}, timeout=20)


@pytest.fixture(scope="module")
def mine(planted: Planted) -> Path:
    """A file that another visitor has uploaded."""
    return Path(upload(planted.url, "mine.csv").json()[0])


def ways(target: Path, out: Path) -> list[str]:
    """One file's path, written in every way that might slip through."""
    plain, up = str(target), "/.." * 12
    return [
        plain, quote(plain, safe=""), quote(quote(plain, safe=""), safe=""), f"/{plain}", f"//{plain}", f"/.{plain}", f"{plain}/", f"{plain}/.",
        f"{plain}%00", f"{plain}%00.csv", f"{plain}?x", f"{plain}%20", f"{plain}.", plain.upper(), plain.replace("/", "\\"),
        plain.replace("/", "%5c"), plain.replace("/", "%c0%af"), plain.replace("/", "%ef%bc%8f"), plain.lstrip("/"), f"file://{plain}",
        f"file:{plain}", f"{out}{up}{plain}", f"{out}/x/..{up}{plain}", f"{out}{quote(up + plain, safe='')}", f"{out}/..%2f..%2f{plain}",
        f"../../../../../../../..{plain}", f"%2e%2e/%2e%2e/%2e%2e/%2e%2e/%2e%2e/%2e%2e{plain}", f"....//....//..../{plain}",
        f"/proc/self/root{plain}", f"/proc/self/cwd{up}{plain}", f"~{plain}", f"{plain};a=b", f"{out}/linked{plain}",
    ]  # fmt: skip


def test_no_spelling_of_a_path_gives_what_is_behind_it(planted: Planted, mine: Path) -> None:
    out = mine.parents[2]
    (out / "linked").symlink_to("/")
    targets = [planted.home / "reviews/ballots.sqlite", mine, PROJECT / "app.py", Path("/etc/passwd")]
    tried = [route + way for target in targets for way in ways(target, out) for route in ROUTES[:2]]
    given = [
        (path, body[:80]) for path in tried for _, body in [fetch(planted.url, path)] if any(word.encode() in body for word in TELLTALE)
    ]
    print(f"{len(tried)} paths tried, {len(given)} given")
    assert len(tried) > 30 and given == []


def test_nothing_of_the_studio_the_project_or_the_machine_is_given(planted: Planted, mine: Path) -> None:
    out = mine.parents[2]
    places = [planted.home / name for name in (*PRIVATE, "log/studio.log", "models", ".")]
    places += [
        PROJECT / name for name in (".", "app.py", "studio/app.py", "requirements.txt", ".git/config", ".git/HEAD", "tests/conftest.py")
    ]
    places += [PROJECT / name for name in (".venv/pyvenv.cfg", "assets/style.css", ".gradio/cached_examples/x")]
    places += [Path(f"/proc/self/{name}") for name in ("environ", "cmdline", "cwd/app.py", "fd/1", "maps", "root/etc/passwd")]
    places += [Path(name) for name in ("/etc/passwd", "/etc/hostname", "/dev/zero", str(Path.home() / ".bashrc"))]
    places += [mine, mine.parent, mine.parents[1], out, out.parent, planted.folder / "printed"]
    asked = [(route, place, fetch(planted.url, f"{route}{place}")) for route in ROUTES for place in places]
    asked += [("ranged", place, fetch(planted.url, f"{ROUTES[0]}{place}", Range="bytes=0-99")) for place in places]
    asked += [("head", place, fetch(planted.url, f"{ROUTES[0]}{place}", "HEAD")) for place in places]
    print(f"{len(asked)} requests for {len(places)} places")
    assert [(route, str(place), answer) for route, place, answer in asked if answer[0] != 404] == []


@pytest.mark.parametrize("path", OTHERS)
def test_other_routes_give_no_files(planted: Planted, path: str) -> None:
    _, body = fetch(planted.url, path)
    assert not [word for word in TELLTALE if word.encode() in body]


def test_what_the_studio_laid_out_is_given_as_a_file_that_opens_nowhere(planted: Planted, mine: Path) -> None:
    made = mine.parents[2] / "0a1b" / "answers (1) ü.html"
    made.parent.mkdir()
    made.write_text("<script>alert(1)</script>")
    answer = httpx.get(f"{planted.url}{ROUTES[0]}{quote(str(made))}")
    assert answer.status_code == 200 and answer.text == made.read_text()
    assert answer.headers["content-disposition"].startswith("attachment") and answer.headers["content-type"] == "application/octet-stream"


@pytest.mark.parametrize("path", ["", "config", "rate", "gradio_api/file=/etc/passwd"])
def test_every_answer_tells_the_browser_to_fetch_nothing_from_elsewhere(planted: Planted, path: str) -> None:
    headers = httpx.get(f"{planted.url}/{path}", timeout=60).headers
    assert "img-src 'self'" in headers["content-security-policy"] and "connect-src 'self'" in headers["content-security-policy"]
    assert (headers["x-content-type-options"], headers["referrer-policy"]) == ("nosniff", "same-origin")


@pytest.mark.parametrize("path", ["", "rate"])
def test_a_page_is_packed_on_its_way_for_who_can_unpack_it(planted: Planted, path: str) -> None:
    packed, plain = (httpx.get(f"{planted.url}/{path}", timeout=60, headers={"accept-encoding": how}) for how in ("gzip", "identity"))
    assert packed.headers["content-encoding"] == "gzip" and "content-encoding" not in plain.headers
    assert packed.num_bytes_downloaded < plain.num_bytes_downloaded / 3 and len(packed.text) > 50_000


class Elsewhere(BaseHTTPRequestHandler):
    """A server that must never be asked by the studio."""

    asked: list[str] = []

    def do_GET(self) -> None:
        self.asked.append(self.path)
        self.send_response(200)
        self.end_headers()

    do_HEAD = do_GET

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def other() -> str:
    server = HTTPServer(("127.0.0.1", 0), Elsewhere)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}"


def event(url: str, name: str, *values: object) -> httpx.Response:
    """Calls an event as a program would that minds no rules, and returns its last words."""
    begun = httpx.post(f"{url}/gradio_api/call/{name}", json={"data": values}, timeout=20)
    return httpx.get(f"{url}/gradio_api/call/{name}/{begun.json()['event_id']}", timeout=60) if begun.status_code == 200 else begun


def test_a_path_in_place_of_an_upload_opens_nothing(planted: Planted) -> None:
    for path in (
        planted.home / "reviews/ballots.sqlite",
        PROJECT / "requirements.txt",
        "/etc/passwd",
        "../../etc/passwd",
        "/proc/self/environ",
    ):
        said = event(planted.url, "open_file", {"path": str(path), "meta": {"_type": "gradio.FileData"}, "orig_name": "rows.csv"}).text
        assert not [word for word in TELLTALE if word in said], path
        assert "error" in said and "rows" not in said.replace("rows.csv", "")


def test_the_studio_fetches_no_address_for_a_visitor(planted: Planted, other: str) -> None:
    for path in (
        f"{ROUTES[0]}{other}/x",
        f"{ROUTES[1]}{other}/x",
        f"/gradio_api/proxy={other}/x",
        f"{ROUTES[0]}//{other[7:]}/x",
    ):
        assert fetch(planted.url, path)[0] == 404
    file = {"path": f"{other}/x", "url": f"{other}/x", "meta": {"_type": "gradio.FileData"}}
    answer = event(planted.url, "open_file", file)
    assert answer.status_code == 400 and "never from an address" in answer.text
    assert httpx.post(f"{planted.url}/gradio_api/component_server", json={"data": [file]}).status_code == 404
    assert Elsewhere.asked == []


def test_an_upload_can_be_opened_by_its_visitor_and_is_nowhere_to_be_fetched(planted: Planted, tmp_path: Path) -> None:
    rows = tmp_path / "rows.csv"
    rows.write_text("post\nRents are too high here\nTaxes should fall soon\n")
    said = str(Client(planted.url, verbose=False).predict(handle_file(str(rows)), api_name="/open_file"))
    assert "Traceback" not in said and "ps-error" not in said
    stored = list(Path(upload(planted.url, "other.csv").json()[0]).parents[1].rglob("rows.csv"))
    assert stored and fetch(planted.url, f"{ROUTES[0]}{stored[0]}")[0] == 404


@pytest.mark.parametrize(
    "name,kept", [("../../up.csv", "up.csv"), ("..\\..\\up.csv", "up.csv"), ("/etc/cron.d/x.csv", "x.csv"), ("a\u202egpj.csv", ""), ("CON.csv", "_CON.csv")]
)  # fmt: skip
def test_names_lead_nowhere(planted: Planted, mine: Path, name: str, kept: str) -> None:
    stored = Path(upload(planted.url, name).json()[0])
    assert stored.parents[1] == mine.parents[1] and stored.suffix == ".csv" and ".." not in stored.parts
    assert not kept or stored.name in (kept, "....up.csv")


@pytest.mark.parametrize("name", ["run.exe", "page.html", "picture.svg", "no_ending", "rows.csv.php", "setup.py"])
def test_other_kinds_of_files_are_refused_with_a_sentence_and_removed(planted: Planted, mine: Path, name: str) -> None:
    answer = upload(planted.url, name)
    assert answer.status_code == 415 and f"“{name}” is of no kind" in answer.text and "Use one of .csv" in answer.text
    assert not list(mine.parents[1].rglob(name))


def test_too_large_and_too_many_are_refused(planted: Planted) -> None:
    place = urlsplit(planted.url)
    connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=20)
    connection.putrequest("POST", "/gradio_api/upload")
    connection.putheader("Content-Type", "multipart/form-data; boundary=x")
    connection.putheader("Content-Length", str(1 << 30))
    connection.endheaders(b"x" * (9 << 20))
    answer = connection.getresponse()
    assert answer.status == 413 and b"at most 210 MB" in answer.read()
    many = httpx.post(f"{planted.url}/gradio_api/upload", files=[("files", (f"{n}.csv", b"x")) for n in range(21)])
    assert many.status_code == 413 and "at most 20" in many.text
    huge = httpx.post(f"{planted.url}/gradio_api/call/check", content=json.dumps({"data": ["x" * (33 << 20)]}), headers={"content-type": "application/json"})  # fmt: skip
    assert huge.status_code == 413
