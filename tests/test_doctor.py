"""What `tastebench doctor` says of cards and weights: what fits, what is missing, which licence to accept, and the command."""

from pathlib import Path

import pytest

from stimuli import doctor
from stimuli.doctor import fits, weights_here
from stimuli.machine import downloads
from stimuli.machine.weights import PUBLISHED, Weights

OTHERS = {
    weights.name: weights
    for weights in (
        Weights("local", "a/local", "main", "A", gib=15.0, part="rewriter"),
        Weights("hpsv3", "a/hpsv3", "main", "A", gib=14.4, part="scorer"),
        Weights("qalign", "a/qalign", "main", "A", gib=15.3, part="scorer"),
        Weights("unknown", "a/unknown", "main", "A", gib=None, part="scorer"),
    )
}


def test_a_large_card_holds_dev_a_rewriter_and_a_scorer_and_its_smaller_presets_hold_more() -> None:
    whole, turns = (
        finding for finding in fits(139.8, published=OTHERS) if finding.part.startswith(('flux2, memory = "1', 'flux2, memory = "8'))
    )
    assert whole.part == 'flux2, memory = "141gb" (what "auto" is here)'
    assert (whole.state, whole.found) == ("ready", "as published, all of it stays on the card: 100 of 140 GiB")
    assert whole.advice == "beside it fit together, in GiB: local (15.0), hpsv3 (14.4); not also qalign (15.3)"
    assert turns.found == "as published, parts take turns: 66 of 140 GiB"
    assert turns.advice == "beside it fit together, in GiB: local (15.0), hpsv3 (14.4), qalign (15.3)"


def test_a_small_card_offers_only_presets_that_are_made_for_it() -> None:
    found = fits(23.5, published=OTHERS)
    assert [finding.part for finding in found] == [
        'flux2, memory = "24gb" (what "auto" is here)',
        'flux2-klein, memory = "24gb" (what "auto" is here)',
    ]
    assert found[0].found == "rounded to 4 bits (needs bitsandbytes), parts take turns: 23 of 24 GiB"
    assert found[0].advice.startswith("no other model fits beside it")
    [too_small] = fits(6.0, published=OTHERS)
    assert (too_small.part, too_small.found) == ("FLUX.2", "fits no card of 6 GiB")


def test_parts_that_take_turns_need_room_in_the_computer_to_wait_in() -> None:
    short = next(finding for finding in fits(79.6, waiting=64.0, published=OTHERS) if finding.part.startswith('flux2, memory = "80gb"'))
    assert short.state == "optional"
    assert short.advice.startswith("needs 94 GiB of the computer's own memory, which has 64; ")


def test_missing_weights_come_with_size_licence_and_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    gated = weights_here(PUBLISHED["flux2"])
    assert (gated.part, gated.state, gated.found) == ("generator flux2", "optional", "no black-forest-labs/FLUX.2-dev (gated)")
    assert gated.advice == (
        "104.9 GiB. Licence: FLUX Non-Commercial License; accept it on https://huggingface.co/black-forest-labs/FLUX.2-dev and log in with "
        "`hf auth login` first. hf download black-forest-labs/FLUX.2-dev --exclude 'flux*.safetensors'"
    )
    assert "accept" not in weights_here(PUBLISHED["flux2-klein"]).advice
    assert weights_here(OTHERS["hpsv3"]).advice == "14.4 GiB. Licence: A. hf download a/hpsv3"


def test_weights_are_ready_when_whole_and_a_broken_download_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    snapshot = tmp_path / "models--a--hpsv3" / "snapshots" / "main"
    snapshot.mkdir(parents=True)
    (snapshot / "config.json").write_text("{}")
    assert weights_here(OTHERS["hpsv3"]).found.startswith("a/hpsv3 is not whole: there is no file of tensors")
    header = b'{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}'
    whole = len(header).to_bytes(8, "little") + header + bytes(8)
    (snapshot / "model.safetensors").write_bytes(whole[:-1])
    assert f"model.safetensors has {len(whole) - 1} bytes, and its header says {len(whole)}" in weights_here(OTHERS["hpsv3"]).found
    (snapshot / "model.safetensors").write_bytes(whole)
    assert weights_here(OTHERS["hpsv3"]) == doctor.Finding("scorer hpsv3", "ready", f"a/hpsv3 in {snapshot}")


def test_the_hubs_cache_is_where_hf_download_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HF_HUB_CACHE", "HF_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    assert downloads.hub_cache() == Path.home() / ".cache" / "huggingface" / "hub"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "x"))
    assert downloads.hub_cache() == tmp_path / "x" / "huggingface" / "hub"
    monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
    assert downloads.hub_cache() == tmp_path / "home" / "hub"
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    assert downloads.hub_cache() == tmp_path / "hub"


def test_a_revision_is_part_of_the_command_and_of_where_weights_are_looked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    meant = Weights("x", "a/x", "abc123", "A")
    assert downloads.command(meant) == "hf download a/x --revision abc123"
    (tmp_path / "models--a--x" / "snapshots" / "other").mkdir(parents=True)
    assert downloads.place(meant) is None
    (tmp_path / "models--a--x" / "snapshots" / "abc123").mkdir()
    assert downloads.place(meant) == tmp_path / "models--a--x" / "snapshots" / "abc123"


def test_every_published_model_is_told_of_and_nothing_waits_for_a_later_version(tmp_path: Path) -> None:
    found = doctor.findings(folder=tmp_path)
    assert {f"{weights.part} {weights.name}" for weights in PUBLISHED.values()} <= {finding.part for finding in found}
    assert not any("later version" in finding.found + finding.advice for finding in found)
