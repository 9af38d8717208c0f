"""What FLUX.2 says of weights that are missing, gated, damaged, half downloaded or another model's, and of settings not for it."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tiny_flux2
import torch
from tiny_flux2 import made

from stimuli.experiment import ExperimentError
from stimuli.machine import downloads
from stimuli.machine.downloads import identity
from stimuli.machine.weights import PUBLISHED

PROMPTS = ("a red boat",)


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("flux2")
    return {"flux2": tiny_flux2.dev(folder / "dev"), "flux2-klein": tiny_flux2.klein(folder / "klein")}


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    return tmp_path / "hub"


def _in_cache(cache: Path, repository: str, source: Path) -> Path:
    stored = cache / f"models--{repository.replace('/', '--')}"
    (stored / "refs").mkdir(parents=True)
    (stored / "refs" / "main").write_text("0123abc")
    shutil.copytree(source, stored / "snapshots" / "0123abc")
    return stored / "snapshots" / "0123abc"


def test_weights_that_were_trained_on_have_another_name(tmp_path: Path) -> None:
    large = tmp_path / "model.safetensors"
    content = bytearray(3 << 20)
    large.write_bytes(content)
    before = identity(PUBLISHED["flux2"], tmp_path)
    assert identity(PUBLISHED["flux2"], tmp_path) == before
    content[len(content) // 2 :] = b"x" * (len(content) // 2)
    large.write_bytes(content)
    assert identity(PUBLISHED["flux2"], tmp_path) != before


def test_weights_in_the_hubs_cache_are_found_and_named_by_their_commit(cache: Path, weights: dict[str, Path]) -> None:
    _in_cache(cache, "black-forest-labs/FLUX.2-klein-4B", weights["flux2-klein"])
    painter = made("flux2-klein", {})
    assert painter.spec.version == "black-forest-labs/FLUX.2-klein-4B@0123abc"
    painter.check()
    assert painter.render(PROMPTS[:1], [1])[0].tobytes() == made("flux2-klein", weights).render(PROMPTS[:1], [1])[0].tobytes()


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("flux2", r"flux2: no weights on this machine \(looked in .*hub\)\. Run `hf download black-forest-labs/FLUX\.2-dev --exclude "
                  r"'flux\*\.safetensors'`\. Licence: FLUX Non-Commercial License; accept it on https://huggingface\.co/black-forest-labs/"
                  r"FLUX\.2-dev and log in with `hf auth login` first"),
        ("flux2-klein", r"flux2-klein: no weights on this machine .* Licence: Apache-2\.0$"),
    ],
)  # fmt: skip
@pytest.mark.usefixtures("cache")
def test_weights_that_are_not_here_are_told_early_with_licence_and_command(name: str, said: str) -> None:
    with pytest.raises(ExperimentError, match=said):
        made(name, {}).check()
    with pytest.raises(ExperimentError, match=said):
        made(name, {}).render(PROMPTS[:1], [1])


def _no_folder(folder: Path) -> None:
    shutil.rmtree(folder)


def _no_index(folder: Path) -> None:
    (folder / "model_index.json").unlink()


def _torn_index(folder: Path) -> None:
    (folder / "model_index.json").write_text('{"_class_name": "Flux2')


def _other_pipeline(folder: Path) -> None:
    path = folder / "model_index.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"_class_name": "FluxPipeline"}))


def _no_vae(folder: Path) -> None:
    shutil.rmtree(folder / "vae")


def _half_file(folder: Path) -> None:
    path = folder / "transformer" / "diffusion_pytorch_model.safetensors"
    path.write_bytes(path.read_bytes()[:-1000])


def _no_file(folder: Path) -> None:
    (folder / "vae" / "diffusion_pytorch_model.safetensors").rename(folder / "vae" / "elsewhere.safetensors.part")


def _missing_shard(folder: Path) -> None:
    shards = {"a": "diffusion_pytorch_model-00001-of-00002.safetensors", "b": "diffusion_pytorch_model-00002-of-00002.safetensors"}
    (folder / "transformer" / "diffusion_pytorch_model.safetensors").rename(folder / "transformer" / shards["a"])
    (folder / "transformer" / "diffusion_pytorch_model.safetensors.index.json").write_text(json.dumps({"weight_map": shards}))


def _dangling(folder: Path) -> None:
    path = folder / "vae" / "diffusion_pytorch_model.safetensors"
    path.unlink()
    path.symlink_to(folder / "blobs" / "gone")


def _noise(folder: Path) -> None:
    (folder / "vae" / "diffusion_pytorch_model.safetensors").write_bytes(b"\x00" * 4096)


def _shallow(folder: Path) -> None:
    path = folder / "text_encoder" / "config.json"
    config = json.loads(path.read_text())
    config["text_config"]["num_hidden_layers"] = 12
    path.write_text(json.dumps(config))


def _gap(folder: Path) -> None:
    from safetensors.torch import load_file, save_file

    path = folder / "transformer" / "diffusion_pytorch_model.safetensors"
    save_file({key: value for key, value in load_file(path).items() if not key.startswith("proj_out")}, path, {"format": "pt"})


def _no_tokenizer(folder: Path) -> None:
    (folder / "tokenizer" / "tokenizer.json").write_text("{")


@pytest.mark.parametrize(
    ("damage", "said", "early"),
    [
        (_no_folder, r"flux2: no weights in .*dev\. Run `hf download .* --local-dir .*dev`", True),
        (_no_index, r"holds no model_index\.json, so no pipeline of diffusers; expected a folder like black-forest-labs/FLUX\.2-dev", True),
        (_torn_index, r"model_index\.json cannot be read .*; download it again: hf download", True),
        (
            _other_pipeline,
            r"holds a FluxPipeline, and a Flux2Pipeline was expected; give the folder of black-forest-labs/FLUX\.2-dev",
            True,
        ),
        (_no_vae, r"lacks vae; download it again", True),
        (_half_file, r"not whole: transformer/diffusion_pytorch_model\.safetensors has \d+ bytes, and its header says \d+\. Run `hf", True),
        (_missing_shard, r"not whole: transformer/diffusion_pytorch_model-00002-of-00002\.safetensors is missing\. Run `hf", True),
        (_dangling, r"not whole: vae/diffusion_pytorch_model\.safetensors is missing", True),
        (_noise, r"vae/diffusion_pytorch_model\.safetensors \(4096 bytes\) has no readable header", True),
        (_no_file, r"flux2: the weights in .* cannot be loaded \(.*diffusion_pytorch_model.*\); download them again", False),
        (_shallow, r"cannot be loaded \(its encoder of texts has 12 layers, and at least 31 were expected\)", False),
        (_gap, r"cannot be loaded \(it lacks weights of Flux2Transformer2DModel\)", False),
        (_no_tokenizer, r"flux2: the weights in .* cannot be loaded", False),
    ],
)
def test_bad_weights_say_what_is_wrong_with_them(
    weights: dict[str, Path], tmp_path: Path, damage: Callable[[Path], None], said: str, early: bool
) -> None:
    folder = tmp_path / "dev"
    shutil.copytree(weights["flux2"], folder)
    damage(folder)
    painter = made("flux2", {"flux2": folder})
    with pytest.raises(ExperimentError, match=said):
        painter.check() if early else painter.render(PROMPTS[:1], [1])


def test_the_folder_of_the_other_model_names_the_generator_that_it_is_for(weights: dict[str, Path]) -> None:
    with pytest.raises(
        ExperimentError, match=r'holds a Flux2KleinPipeline, and a Flux2Pipeline was expected; write generator = "flux2-klein"'
    ):
        made("flux2", {"flux2": weights["flux2-klein"]}).check()


@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        ("flux2", {"size": 500}, r"flux2: \[stimuli\] size is 500, and FLUX\.2 makes .* multiples of 16; write 496 or 512"),
        ("flux2-klein", {"guidance": 4.0}, r"\[stimuli\] guidance is 4, which this distilled model ignores; leave the key out"),
        (
            "flux2",
            {"memory": "24gb"},
            r'memory = "24gb" rounds its weights to 4 bits here, .* bitsandbytes is missing; run `pip install bits',
        ),
    ],
)
def test_settings_that_are_not_for_the_model_are_refused_early(
    weights: dict[str, Path], name: str, change: dict[str, Any], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    _without(monkeypatch, "bitsandbytes")
    with pytest.raises(ExperimentError, match=said):
        made(name, weights, **change).check()


def test_a_missing_package_names_the_extra(weights: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    _without(monkeypatch, "diffusers")
    with pytest.raises(ExperimentError, match=r"flux2: needs diffusers; install with `pip install 'tastebench\[gpu\]'`"):
        made("flux2", weights).check()


def _without(monkeypatch: pytest.MonkeyPatch, package: str) -> None:
    import importlib.util

    real = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == package else real(name))


def test_a_gpu_that_is_not_here_is_told_early(weights: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ExperimentError, match=r'device "cuda": PyTorch .* sees no GPU here'):
        made("flux2", weights, device="cuda").check()


def test_only_tensors_of_a_download_are_looked_at_and_other_kinds_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "weights.pth").write_bytes(b"anything")
    assert downloads.fault_in(tmp_path) is None
    (tmp_path / "weights.pth").unlink()
    assert str(downloads.fault_in(tmp_path)).startswith("there is no file of tensors")


@pytest.mark.parametrize("archive", [True, False])
def test_a_checkpoint_of_pytorch_that_breaks_off_is_told_without_loading_it(tmp_path: Path, archive: bool) -> None:
    path = tmp_path / "pytorch_model.bin"
    torch.save({"weight": torch.arange(1000.0)}, path, _use_new_zipfile_serialization=archive)
    assert downloads.fault_in(tmp_path) is None
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    # The old kind of file does not say how long it is.
    told = f"pytorch_model.bin ({len(whole) // 2} bytes) breaks off"
    assert downloads.fault_in(tmp_path) == (told if archive else None)
    path.write_bytes(b"")
    assert downloads.fault_in(tmp_path) == "pytorch_model.bin (0 bytes) breaks off"
