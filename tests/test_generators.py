"""Generators: by name, with every setting that changes an image in the spec."""

import pytest

from stimuli import generators
from stimuli.parts import UnknownPartError


def test_the_painter_renders_each_prompt_with_its_seed() -> None:
    painter = generators.make("sketch", rendering=generators.Rendering(96))
    one, other, again = painter.render(["A cat. Moonlight.", "A cat. Moonlight.", "A cat. Moonlight."], [1, 2, 1])
    assert (one.size, one.mode) == ((96, 96), "RGB")
    assert one.tobytes() == again.tobytes()
    assert one.tobytes() != other.tobytes()


def test_an_image_is_the_same_alone_and_in_a_batch() -> None:
    painter = generators.make("sketch", rendering=generators.Rendering(64))
    prompts = ["A lone tree on a hill.", "A boat. Watercolour."]
    assert [painter.render([prompt], [3])[0].tobytes() for prompt in prompts] == [
        image.tobytes() for image in painter.render(prompts, [3, 3])
    ]


def test_the_spec_tells_sizes_apart_and_says_that_it_stands_in() -> None:
    small, large = (generators.make("sketch", rendering=generators.Rendering(size)).spec for size in (64, 128))
    assert small.stand_in
    assert small != large


@pytest.mark.parametrize("name", ["flux2", "flux2-klein"])
def test_a_diffusion_model_is_made_by_name_without_loading_anything(name: str) -> None:
    made = generators.make(name, rendering=generators.Rendering(512))
    assert made.spec.name == name and not made.spec.stand_in
    assert made.spec.settings["size"] == 512


def test_an_unknown_generator_is_answered_with_the_nearest_name() -> None:
    with pytest.raises(UnknownPartError, match=r'generator "skech" is not known; did you mean "sketch"\?'):
        generators.make("skech", rendering=generators.Rendering(512))
