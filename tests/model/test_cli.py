"""The command line as people call it: each command in a process of its own."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipelines.paths import PROJECT, Paths


def call(home: Paths, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "STUDIO_HOME": str(home.root)}
    return subprocess.run(
        [sys.executable, "-m", "pipelines", *arguments], capture_output=True, text=True, cwd=PROJECT, env=environment, timeout=300
    )


def test_doctor_shows_the_order_of_models_and_verified_sums(model_home: Paths) -> None:
    done = call(model_home, "doctor", "--json")
    rows = {row["what"]: row for row in json.loads(done.stdout)}
    assert rows["model smollm2-135m"]["from"] == "package" and rows["model smollm2-135m"]["sha256_ok"] is True
    assert all(rows[f"bundled adapter {side}"]["ok"] for side in ("left", "right", "placebo"))


def test_curate_writes_a_folder(model_home: Paths, tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text('{"prompt": "Why so?", "chosen": "Because it is fair.", "rejected": "Because it is free."}\n' * 2)
    done = call(model_home, "curate", "--input", str(tmp_path / "in.jsonl"), "--output", str(tmp_path / "out"), "--json")
    found = json.loads(done.stdout)
    assert found["rows"] == 1 and [step["key"] for step in found["steps"] if step["dropped"]] == ["exact"]
    assert json.loads((tmp_path / "out" / "version.json").read_text())["hash"] == found["hash"]
    assert "[100%]" in done.stderr and not list(model_home.drafts.glob("in-*")), "progress is told, and no draft stays"


@pytest.mark.slow
def test_check_fails_for_the_faulty_set_and_push_only_tries(model_home: Paths) -> None:
    done = call(model_home, "curate", "--input", "bundled-confounded", "--name", "faulty", "--steps", "mask", "--json")
    name = json.loads(done.stdout)["name"]
    checked = call(model_home, "check", "--data", name)
    assert checked.returncode == 1 and "\nred    Refusals: " in checked.stdout
    pushed = call(model_home, "push", name, "me/it", "--dry-run")
    assert pushed.returncode == 0 and "Nothing was sent" in pushed.stdout


@pytest.mark.slow
def test_stance_score_keeps_the_order(model_home: Paths, tmp_path: Path) -> None:
    lines = ["Wealth should be shared and workers protected by the state.", "Free markets and low taxes make a country strong."] * 2
    (tmp_path / "in.jsonl").write_text("".join(json.dumps({"text": line}) + "\n" for line in lines))
    scores = json.loads(call(model_home, "stance", "score", "--input", str(tmp_path / "in.jsonl"), "--json").stdout)
    assert [set(score) for score in scores] == [{"economic", "social"}] * 4
    assert scores[0] == pytest.approx(scores[2], abs=1e-4) and scores[0]["economic"] < scores[1]["economic"]


def test_ask_answers_with_stamps(model_home: Paths) -> None:
    answers = json.loads(call(model_home, "ask", "Is work good?", "--columns", "base,left", "--max-new-tokens", "8", "--json").stdout)
    assert [a["column"] for a in answers] == ["base", "left"] and all(a["stamp"]["max_new_tokens"] == 8 for a in answers)


@pytest.mark.parametrize(
    "arguments,words",
    [
        (("curate", "--input", "/no/such/file.csv"), "neither a file"),
        (("curate", "--resume", "nothing"), "not here any more"),
        (("curate", "--input", "bundled", "--steps", "everything"), "no curation step"),
        (("check", "--data", "nothing"), "no data set version"),
        (("push", "nothing", "me/it"), "no data set version"),
        (("ask", "Hi", "--columns", "nobody"), "no run called"),
        (("tune", "--data", "nothing"), "no data set version"),
        (("tune", "--learning-rate", "9"), "learning_rate"),
        (("tune", "--recipe", "/no/recipe.yaml"), "can't be read"),
        (("runs", "nothing"), "no run called"),
        (("stance", "score"), "nothing to score"),
    ],
)
def test_mistakes_get_a_sentence_and_exit_code_2(model_home: Paths, arguments: tuple[str, ...], words: str) -> None:
    done = call(model_home, *arguments)
    assert done.returncode == 2 and words in done.stderr and "Traceback" not in done.stderr


@pytest.mark.slow
def test_a_model_path_that_does_not_exist_and_a_port_in_use_get_a_sentence(model_home: Paths) -> None:
    import socket

    environment = {**os.environ, "STUDIO_HOME": str(model_home.root)}
    wrong = subprocess.run(
        [sys.executable, "app.py"],
        capture_output=True,
        text=True,
        cwd=PROJECT,
        env={**environment, "STUDIO_MODEL": "/no/such/model"},
        timeout=120,
    )
    assert wrong.returncode == 2 and "does not exist" in wrong.stderr
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        busy = subprocess.run(
            [sys.executable, "app.py"], capture_output=True, text=True, cwd=PROJECT, env={**environment, "PORT": port}, timeout=120
        )
    assert busy.returncode == 2 and f"Port {port}" in busy.stderr and "Traceback" not in busy.stderr
