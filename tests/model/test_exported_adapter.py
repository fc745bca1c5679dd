"""An exported adapter needs nothing of this project: plain PEFT loads it and gives the same logits."""

import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from pipelines.models import adapters
from pipelines.models.host import ModelHost
from pipelines.paths import Paths
from pipelines.tuning.run import Run
from pipelines.tuning.sharing.exchange import export
from tests.adapter_files import write_run

TEXT = "Should rents be limited?"
SCRIPT = """
import importlib.util
import sys

import torch
from peft import PeftModel
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM, AutoTokenizer

assert importlib.util.find_spec("pipelines") is None and importlib.util.find_spec("tests") is None
base, adapter, target, text = sys.argv[1:]
tokenizer = AutoTokenizer.from_pretrained(base)
model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
tokens = tokenizer(text, return_tensors="pt")
with torch.inference_mode():
    plain = model(**tokens).logits
    model = PeftModel.from_pretrained(model, adapter)
    save_file({"base": plain, "adapter": model(**tokens).logits}, target)
"""


@pytest.fixture(scope="module")
def bare_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python of its own, which sees the libraries that are installed here, and not this project."""
    folder = tmp_path_factory.mktemp("bare") / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    own = Path(sysconfig.get_path("purelib", vars={"base": str(folder), "platbase": str(folder)}))
    libraries = dict.fromkeys((sysconfig.get_path("purelib"), sysconfig.get_path("platlib")))
    (own / "libraries.pth").write_text("\n".join(libraries) + "\n")
    return folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")


def real_run(folder: Path, tiny: Path) -> Run:
    """A run with adapters as PEFT itself writes them: one for all layers, and a kept step for the last one only."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    run = write_run(folder, {"recipe": {"base": str(tiny), "seed": 7}}, {"base": "tiny", "base_title": str(tiny)})
    for place, layers in ((run.adapter, None), (run.folder / "checkpoints" / "step-00020", [1])):
        config = LoraConfig(
            r=4, lora_alpha=16, lora_dropout=0.1, target_modules=["q_proj", "gate_proj"], task_type="CAUSAL_LM",
            layers_to_transform=layers, layers_pattern="layers" if layers else None,
        )  # fmt: skip
        model = get_peft_model(AutoModelForCausalLM.from_pretrained(tiny), config)
        torch.manual_seed(1)
        for name, weight in model.named_parameters():
            if "lora_B" in name:
                torch.nn.init.normal_(weight, std=0.3)
        model.save_pretrained(place)
    return run


@pytest.mark.parametrize("step", [None, 20])
def test_plain_peft_in_another_place_gives_the_logits_of_the_host_here(
    bare_python: Path, tiny: Path, paths: Paths, tmp_path: Path, step: int | None
) -> None:
    import torch
    from safetensors.torch import load_file

    run = real_run(tmp_path / "run", tiny)
    assert str(tiny) in (run.adapter / adapters.CONFIG).read_text()
    with zipfile.ZipFile(export(run, tmp_path, step)) as archive:
        archive.extractall(tmp_path / "elsewhere")
    (folder,) = (tmp_path / "elsewhere").iterdir()
    assert str(tiny) not in (folder / adapters.CONFIG).read_text()
    (tmp_path / "load.py").write_text(SCRIPT)
    command = [str(bare_python), "-I", str(tmp_path / "load.py"), str(tiny), str(folder), str(tmp_path / "logits"), TEXT]
    done = subprocess.run(command, cwd=tmp_path / "elsewhere", capture_output=True, text=True, timeout=180)
    assert done.returncode == 0, done.stderr[-2000:]
    assert "missing" not in done.stderr.lower(), done.stderr[-2000:]
    theirs = load_file(tmp_path / "logits")

    base = ModelHost(paths, str(tiny)).load()
    tokens = base.tokenizer(TEXT, return_tensors="pt")
    model = adapters.attach(base.model, adapters.inspect(run.folder if step is None else run.folder / "checkpoints" / "step-00020"), "it")
    with torch.inference_mode():
        ours = model(**tokens).logits
    assert torch.allclose(ours, theirs["adapter"], atol=1e-5)
    assert float((theirs["adapter"] - theirs["base"]).abs().max()) > 0.05
