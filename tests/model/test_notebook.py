"""The notebook runs from its first cell to its last, with the embedded model and without the network."""

from pathlib import Path

import nbformat
import pytest

from pipelines.paths import PROJECT, Paths

NOTEBOOK = PROJECT / "notebooks" / "politune.ipynb"


def opened() -> nbformat.NotebookNode:
    made = nbformat.read(NOTEBOOK, as_version=4)
    nbformat.validate(made)
    return made


def printed(notebook: nbformat.NotebookNode) -> str:
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    return "\n".join(one.get("text", "") + str(one.get("data", {}).get("text/plain", "")) for one in outputs)


def test_the_notebook_is_valid_and_tells_of_no_machine() -> None:
    made = opened()
    assert [cell.cell_type for cell in made.cells[:2]] == ["markdown", "code"]
    whole = NOTEBOOK.read_text(encoding="utf-8")
    assert "Traceback" not in whole and not [name for name in ("root", "home", "tmp") if f"/{name}/" in whole]


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_every_cell_of_the_notebook_runs(model_home: Paths, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from nbclient import NotebookClient

    monkeypatch.setenv("STUDIO_HOME", str(model_home.root))
    monkeypatch.setenv("JUPYTER_PLATFORM_DIRS", "1")
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    made = opened()
    NotebookClient(made, timeout=400, kernel_name="python3", resources={"metadata": {"path": str(NOTEBOOK.parent)}}).execute()
    said = printed(made)
    assert "the base is the base: True" in said and "192 questions on 24 topics" in said
    assert "finished" in said and "step 4 of 4" in said and "[mine]" in said
    assert said.count("p = ") == 2 and said.count("n = 48") == 2 and "num_rows: 192" in said
