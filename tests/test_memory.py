"""Presets of memory: parameters counted from the real architectures without their weights, and what fits on which card."""

from pathlib import Path

import pytest
import torch

from stimuli.experiment import ExperimentError
from stimuli.generators import Rendering
from stimuli.generators.flux2 import Flux2
from stimuli.generators.memory import NAMES, PRESETS, SIZES, Part, Plan, plan_for, preset_for


def counted(network: torch.nn.Module) -> Part:
    """Count parameters, and those of the matrices that a quantiser rounds."""
    rounded = sum(module.weight.numel() for module in network.modules() if isinstance(module, torch.nn.Linear))
    return Part(sum(parameter.numel() for parameter in network.parameters()), rounded)


def test_the_sizes_of_dev_are_those_of_the_libraries_own_defaults() -> None:
    from diffusers import AutoencoderKLFlux2, Flux2Transformer2DModel
    from transformers import Mistral3Config, Mistral3ForConditionalGeneration

    config = Mistral3Config(tie_word_embeddings=False)
    config.text_config.num_hidden_layers, config.vision_config.num_hidden_layers = 31, 0
    with torch.device("meta"):
        encoder = Mistral3ForConditionalGeneration(config)
        encoder.lm_head = torch.nn.Identity()
        assert counted(Flux2Transformer2DModel()) == SIZES["flux2"].transformer
        assert counted(encoder) == SIZES["flux2"].encoder
        assert counted(AutoencoderKLFlux2()).parameters == SIZES["flux2"].decoder.parameters == SIZES["flux2-klein"].decoder.parameters


def test_the_sizes_of_klein_are_those_of_the_published_architecture() -> None:
    from diffusers import Flux2Transformer2DModel
    from transformers import Qwen3Config, Qwen3ForCausalLM

    config = Qwen3Config(
        vocab_size=151936, hidden_size=2560, intermediate_size=9728, num_hidden_layers=28, num_attention_heads=32,
        num_key_value_heads=8, head_dim=128, tie_word_embeddings=True,
    )  # fmt: skip
    with torch.device("meta"):
        transformer = Flux2Transformer2DModel(
            num_layers=5, num_single_layers=20, num_attention_heads=24, joint_attention_dim=3 * 2560, guidance_embeds=False
        )
        encoder = Qwen3ForCausalLM(config)
        encoder.lm_head = torch.nn.Identity()
        assert counted(transformer) == SIZES["flux2-klein"].transformer
        assert counted(encoder) == SIZES["flux2-klein"].encoder


@pytest.mark.parametrize("generator", SIZES)
def test_each_preset_leaves_room_for_at_least_one_image_on_the_smallest_card_it_is_made_for(generator: str) -> None:
    for preset in PRESETS.values():
        assert preset.plans[generator].card(SIZES[generator], batch=1) < preset.least, preset.name


def test_a_smaller_preset_takes_less_of_the_card() -> None:
    for generator, size in SIZES.items():
        needs = [preset.plans[generator].card(size) for preset in PRESETS.values()]
        assert needs == sorted(needs, reverse=True)


def test_the_weights_take_two_bytes_each_or_what_rounding_leaves() -> None:
    # 60.0 GiB for the transformer in bf16, 33.4 for the cut encoder, 0.2 for the autoencoder.
    assert SIZES["flux2"].transformer.gib("whole") == pytest.approx(60.02, abs=0.01)
    assert Plan().card(SIZES["flux2"], batch=0) == pytest.approx(93.6, abs=0.1)
    assert Plan("nf4", offload=True).card(SIZES["flux2"], batch=0) == pytest.approx(16.9, abs=0.1)
    assert Plan(offload=True).waiting(SIZES["flux2"]) == pytest.approx(93.6, abs=0.1)
    assert Plan().waiting(SIZES["flux2"]) == 0


def test_auto_goes_by_the_card_and_a_machine_without_one_rounds_nothing() -> None:
    assert plan_for("flux2", "auto", 139.8) == Plan()
    assert plan_for("flux2", "auto", 79.6) == Plan(offload=True)
    assert plan_for("flux2", "auto", 23.5) == Plan("nf4", offload=True)
    assert plan_for("flux2-klein", "auto", 23.5) == Plan(offload=True)
    assert plan_for("flux2", "auto", None) == Plan()
    assert plan_for("flux2", "80gb", 139.8) == plan_for("flux2", "80gb", None) == Plan(offload=True)
    assert preset_for(12.0) is None


def test_auto_lets_parts_take_turns_where_other_models_need_the_room_and_rounds_nothing_for_them() -> None:
    # The rewriter, HPSv3, Q-Align, ImageReward and SigLIP 2 of the paper's study.
    assert plan_for("flux2", "auto", 139.8, beside=48.5) == Plan(offload=True)
    assert plan_for("flux2", "auto", 139.8, beside=15.0) == Plan()
    assert plan_for("flux2-klein", "auto", 79.6, beside=48.5) == Plan()
    assert plan_for("flux2-klein", "auto", 47.4, beside=31.0) == Plan(offload=True)
    assert plan_for("flux2", "auto", 79.6, beside=48.5) == Plan(offload=True)
    assert plan_for("flux2", "141gb", 139.8, beside=48.5) == Plan()
    assert plan_for("flux2", "auto", None, beside=48.5) == Plan()


def test_models_that_cannot_share_a_card_are_told_before_anything_is_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    painter = Flux2("flux2", rendering=Rendering(512, beside=48.5))
    monkeypatch.setattr(painter, "_card", lambda: 79.6)
    said = (
        "flux2: takes 61 GiB of the card's 80 as it is held now, and the other models of the study need 48 GiB beside it; choose a smaller"
    )
    with pytest.raises(ExperimentError, match=said):
        painter.check()
    monkeypatch.setattr(painter, "_card", lambda: 139.8)
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    with pytest.raises(ExperimentError, match="no weights on this machine"):
        painter.check()


@pytest.mark.parametrize(
    ("memory", "card", "said"),
    [
        ("80 gb", 79.6, r'memory = "80 gb" is no preset; did you mean "80gb"\?'),
        ("auto", 11.8, r'flux2: the card has 12 GiB, .* for one image at a time it needs about 18 GiB: write memory = "24gb"'),
    ],
)  # fmt: skip
def test_what_cannot_be_held_says_what_to_write(memory: str, card: float, said: str) -> None:
    with pytest.raises(ExperimentError, match=said):
        plan_for("flux2", memory, card)
    assert memory not in PRESETS and set(PRESETS) < set(NAMES)
