"""Generators: by name, with every setting that changes an image in the spec."""

import pytest

from stimuli import generators
from stimuli.parts import UnknownPartError


def test_the_painter_renders_each_prompt_with_its_seed() -> None:
    painter = generators.make("sketch", size=96, steps=50, guidance=4.0)
    one, other, again = painter.render(["A cat. Moonlight.", "A cat. Moonlight.", "A cat. Moonlight."], [1, 2, 1])
    assert (one.size, one.mode) == ((96, 96), "RGB")
    assert one.tobytes() == again.tobytes()
    assert one.tobytes() != other.tobytes()


def test_an_image_is_the_same_alone_and_in_a_batch() -> None:
    painter = generators.make("sketch", size=64, steps=50, guidance=4.0)
    prompts = ["A lone tree on a hill.", "A boat. Watercolour."]
    assert [painter.render([prompt], [3])[0].tobytes() for prompt in prompts] == [
        image.tobytes() for image in painter.render(prompts, [3, 3])
    ]


def test_the_spec_tells_sizes_apart_and_says_that_it_stands_in() -> None:
    small, large = (generators.make("sketch", size=size, steps=50, guidance=4.0).spec for size in (64, 128))
    assert small.stand_in
    assert small != large


@pytest.mark.parametrize(("name", "model"), [("flux2", "FLUX.2-dev"), ("flux2-klein", "FLUX.2 Klein")])
def test_models_of_later_versions_say_what_to_use_now(name: str, model: str) -> None:
    with pytest.raises(UnknownPartError, match=rf'generator "{name}": {model} comes with a later version; use generator = "sketch"'):
        generators.make(name, size=512, steps=50, guidance=4.0)


def test_an_unknown_generator_is_answered_with_the_nearest_name() -> None:
    with pytest.raises(UnknownPartError, match=r'generator "skech" is not known; did you mean "sketch"\?'):
        generators.make("skech", size=512, steps=50, guidance=4.0)
