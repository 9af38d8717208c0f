"""Make the image set of a rating study: render it through the store, drop near-duplicates, and hand it over to be rated."""

import asyncio
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from stimuli import learning, manifest
from stimuli.config import StimuliSettings
from stimuli.experiment import Experiment, ExperimentError, write_whole
from stimuli.generators import Generator
from stimuli.imagesets import ImageSet
from stimuli.imagesets.likeness import Seen, difference_hash
from stimuli.imagesets.lists import mistakes
from stimuli.imagesets.shares import Wish, cells, shared_out
from stimuli.lock import alone
from stimuli.progress import Report, silent
from stimuli.ratings.pool import Pool, rating_images
from stimuli.ratings.table import Rated, side_table
from stimuli.rewriters.offline import Vocabulary
from stimuli.seeds import seed_for
from stimuli.simulation import raters, simulated
from stimuli.stages import Render
from stimuli.store import Store
from stimuli.studyfile import SettingsError
from stimuli.workers import Parts, crew

# Images of one generator that are asked for together, so that a service which is down is asked for no more than that.
_TOGETHER = 32


@dataclass(frozen=True)
class Missing:
    """An image that could not be made, and why."""

    name: str
    prompt: str
    reason: str


@dataclass(frozen=True)
class ImagesMade:
    """What can be rated now: how many images by each generator; near-duplicates that were replaced; and what is missing."""

    pool: Pool
    cells: int
    by_generator: dict[str, int]
    duplicates: int
    rendered: int
    missing: tuple[Missing, ...]
    has_simulated_raters: bool


@dataclass(frozen=True)
class _Image:
    """An image of the set: what was wished for, the seed it was made with, and where it lies in the store."""

    wish: Wish
    seed: int
    version: str
    sha256: str


def make(experiment: Experiment, settings: StimuliSettings, *, report: Report = silent) -> ImagesMade:
    """Render the image set that study.toml describes and make it the pool of the rating study; running it again continues.

    What comes out is what `stimuli.ratings.pool.rating_images` writes, and work/image_set.parquet with the generator, the theme, the
    style and the seed of each image.

    Raises:
        ExperimentError: no image set is described, or something is wrong with it; a generator lacks what it needs, or gives nothing at
            all; or a rating study has begun with other images.
    """
    wanted = _described(experiment, settings)
    table, seed = settings.stimuli, settings.experiment.seed
    every = cells(wanted, experiment.folder, seed=seed)
    names = wanted.generators or (table.generator,)
    painters = {name: learning.generator(experiment, replace(table, generator=name)) for name in names}
    for painter in painters.values():
        _check(painter)
    wishes = shared_out(every, wanted.number or len(every), names)
    with alone(experiment.work / "image_set.lock", doing=f"makes the image set of {experiment.folder}"), Store(experiment.work) as store:
        before = store.count("render")
        maker = _Maker(store, painters, settings, wanted, report)
        images, missing = asyncio.run(maker.make(wishes))
        pool = _handed_over(experiment, store, images, seed=seed, report=report)
        _write_set(experiment, images)
        has_tastes = _write_utilities(experiment, settings, pool)
        made = {name: sum(image.wish.generator == name for image in images) for name in names}
        return ImagesMade(pool, len(every), made, maker.duplicates, store.count("render") - before, tuple(missing), has_tastes)


def _described(experiment: Experiment, settings: StimuliSettings) -> ImageSet:
    wanted = settings.stimuli.image_set
    if wanted == ImageSet():
        raise ExperimentError(
            f"{experiment.settings}: describes no image set; add [stimuli.image_set] with a number, and [[stimuli.image_set.domain]] "
            "with styles and contents (`tastebench init FOLDER --example image-set` shows one). To rate images that you have already, "
            "run `tastebench stimuli pool`"
        )
    found = list(mistakes(wanted, experiment.folder))
    if found:
        raise SettingsError(experiment.settings, found)
    return wanted


def _check(painter: Generator) -> None:
    check = getattr(painter, "check", None)
    if check is not None:
        check()


class _Maker:
    """Renders wishes, and counts what looked like something else."""

    def __init__(self, store: Store, painters: dict[str, Generator], settings: StimuliSettings, wanted: ImageSet, report: Report) -> None:
        self._store, self._painters, self._settings, self._wanted, self._report = store, painters, settings, wanted, report
        self._seen = Seen()
        self._total = 0
        self._gave: set[str] = set()
        self.duplicates = 0

    async def make(self, wishes: Sequence[Wish]) -> tuple[list[_Image], list[Missing]]:
        """Return the images in the order of the wishes, and what is missing."""
        self._total = len(wishes)
        self._report("images", 0, self._total)
        made: dict[Wish, _Image] = {}
        missing: list[Missing] = []
        open_wishes = list(wishes)
        for attempt in range(self._wanted.tries):
            tried, failed = await self._rendered(open_wishes, attempt, done=len(made))
            missing += failed
            # In the order of the wishes, so that the same set comes out whichever was rendered first.
            fresh = {image.wish: image for image in tried if self._is_fresh(image)}
            made |= fresh
            open_wishes = [image.wish for image in tried if image.wish not in fresh]
            self.duplicates += len(open_wishes)
            if not open_wishes:
                break
        missing += [_too_like(wish, self._wanted) for wish in open_wishes]
        self._report("images", len(made), self._total)
        return [made[wish] for wish in wishes if wish in made], missing

    def _is_fresh(self, image: _Image) -> bool:
        found = difference_hash(self._store.image(image.sha256))
        nearest = self._seen.nearest(found)
        if nearest is not None and nearest <= self._wanted.alike:
            return False
        self._seen.add(found)
        return True

    async def _rendered(self, wishes: Sequence[Wish], attempt: int, *, done: int) -> tuple[list[_Image], list[Missing]]:
        images: dict[Wish, _Image] = {}
        missing: list[Missing] = []
        for name, painter in self._painters.items():
            mine = [wish for wish in wishes if wish.generator == name]
            if not mine:
                continue
            parts = Parts(painter, Vocabulary(), ())
            async with crew(self._store, parts, self._settings.stimuli.workers, images=len(mine)) as stages:
                for batch in _batches(mine):
                    renders = [Render(wish.cell.prompt, self._seed(wish, attempt)) for wish in batch]
                    answers = await asyncio.gather(*(stages.render([render]) for render in renders), return_exceptions=True)
                    for wish, render, answer in zip(batch, renders, answers, strict=True):
                        if isinstance(answer, BaseException):
                            missing.append(_failed(wish, answer))
                        else:
                            images[wish] = _Image(wish, render.seed, painter.spec.version, answer[0])
                            self._gave.add(name)
                    # A service that is down would refuse all others too; one that gave images may refuse the few that are left.
                    if (len(batch) >= _TOGETHER or name not in self._gave) and all(isinstance(one, BaseException) for one in answers):
                        raise ExperimentError(
                            f"{name}: none of {len(batch)} images could be made, the first because: {missing[-len(batch)].reason}"
                        )
                    self._report("images", done + len(images), self._total)
        return [images[wish] for wish in wishes if wish in images], missing

    def _seed(self, wish: Wish, attempt: int) -> int:
        return seed_for(self._settings.experiment.seed, "image set", wish.name, attempt)


def _batches(wishes: Sequence[Wish]) -> Iterator[Sequence[Wish]]:
    for start in range(0, len(wishes), _TOGETHER):
        yield wishes[start : start + _TOGETHER]


def _failed(wish: Wish, error: BaseException) -> Missing:
    if not isinstance(error, ExperimentError):
        raise error
    return Missing(wish.name, wish.cell.prompt, str(error))


def _too_like(wish: Wish, wanted: ImageSet) -> Missing:
    return Missing(
        wish.name,
        wish.cell.prompt,
        f"{wanted.tries} images of it looked like others (their hashes differ in {wanted.alike} of 64 bits or fewer); reword its style or "
        'content, raise "tries", or lower "alike"',
    )


def _handed_over(experiment: Experiment, store: Store, images: Sequence[_Image], *, seed: int, report: Report) -> Pool:
    """Write the pool of the rating study; of each image it is remembered what it shows: its theme, its style, and its domain."""
    rows = {
        image.wish.name: {
            "path": store.image_path(image.sha256).relative_to(experiment.work).as_posix(),
            "prompt": image.wish.cell.prompt,
            "group": image.wish.cell.content.name,
            "style": image.wish.cell.style.name,
            "type": image.wish.cell.domain,
        }
        for image in images
    }
    nobody = pd.DataFrame({name: pd.Series(dtype=object) for name in ("user", "image", "rating", "split")})
    unrated = Rated(experiment.work, nobody, side_table(rows, "image"), pd.DataFrame(index=pd.Index([], name="user")))
    return rating_images(unrated, experiment, number=len(images), seed=seed_for(seed, "rating images"), report=report)


def _write_set(experiment: Experiment, images: Sequence[_Image]) -> None:
    table = pd.DataFrame(
        [
            {
                "image": image.wish.name,
                "domain": image.wish.cell.domain,
                "theme": image.wish.cell.content.name,
                "content": image.wish.cell.content.words,
                "style": image.wish.cell.style.name,
                "generator": image.wish.generator,
                "version": image.version,
                "seed": image.seed,
                "prompt": image.wish.cell.prompt,
                "image_sha256": image.sha256,
            }
            for image in images
        ]
    )
    buffer = io.BytesIO()
    table.sort_values("image").to_parquet(buffer, index=False)
    write_whole(_set_file(experiment), buffer.getvalue())


def _set_file(experiment: Experiment) -> Path:
    return experiment.work / "image_set.parquet"


def _write_utilities(experiment: Experiment, settings: StimuliSettings, pool: Pool) -> bool:
    """Write what simulated raters truly like of the images, where there are any whose tastes are known; return whether there are."""
    experiment.rating_utilities.unlink(missing_ok=True)
    data = settings.stimuli.ratings
    if data.folder is not None or not raters.tastes_file(experiment.ratings).is_file():
        return False
    pictures = {image.image: experiment.folder / image.path for image in pool.images}
    asked = raters.newcomers(data.newcomers) or raters.names(data.raters)
    likings = [liking for liking in simulated.likings(experiment.ratings, pictures) if liking.user in asked]
    manifest.write_utilities(experiment.rating_utilities, likings)
    return True
