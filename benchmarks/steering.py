"""How fast many chains of steering go: overhead over the bare pipeline, how full batches are, an offline study, memory, the painter.

OMP_NUM_THREADS=1 python benchmarks/steering.py [--only overhead fill offline painter memory] [--device cuda] [--model flux2-klein]
"""

import argparse
import asyncio
import json
import resource
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from stimuli import generators, production
from stimuli.config import Condition, Prompt, StimuliTable
from stimuli.experiment import Experiment
from stimuli.generators import Generator, Rendering
from stimuli.groups import Group
from stimuli.ratings import RatedData
from stimuli.rewriters.offline import Vocabulary, dressed
from stimuli.scorers import Scorer
from stimuli.scorers import make as make_scorer
from stimuli.stages import Alone, Render
from stimuli.steering import steer
from stimuli.steering.chains import Chain, Steering
from stimuli.store import Store
from stimuli.studyfile import ExperimentTable
from stimuli.vocabulary import AXES
from stimuli.workers import Parts, Pool, Workers, crew
from stimuli.workers.queues import fill

BATCH = 8
SUBJECTS = (
    "A sailing boat on a lake", "a lone tree on a hill", "a cat on a windowsill", "a lighthouse above rocks", "an armchair by bookshelves",
    "a glasshouse full of plants", "a skyline across a river", "a dress on a stand", "a concrete wall with ivy", "a bridge in the hills",
    "a market street", "a bowl of fruit", "a horse in a field", "a mountain hut", "a wooden pier", "a vase of flowers", "a row of houses",
    "a bicycle at a door",
)  # fmt: skip
PAPER = Steering(candidates=20, iterations=5, patience=5, guard="none", fresh_seeds=0, log="steering")


def chains_of(prompts: int, scorers: Sequence[Scorer]) -> list[Chain]:
    """Return a chain for each prompt and scorer."""
    return [
        Chain(f"p{number:02d}", SUBJECTS[number], scorer.spec.name, None, 1, scorer, image_seed=number, seed=1000 * number + place)
        for number in range(prompts)
        for place, scorer in enumerate(scorers)
    ]


@dataclass(frozen=True)
class Run:
    """What a run took, in seconds, and how full its batches were."""

    wall: float
    cpu: float
    fill: float
    by_stage: str


def run(folder: Path, parts: Parts, chains: Sequence[Chain], steering: Steering, workers: Workers) -> Run:
    """Steer chains in a new store."""

    async def work(store: Store) -> Run:
        async with crew(store, parts, workers, images=len(chains)) as pool:
            began, cpu = time.perf_counter(), time.process_time()
            await asyncio.gather(*(steer(chain, steering, pool) for chain in chains))
            return Run(time.perf_counter() - began, time.process_time() - cpu, fill(pool.tallies), by_stage(pool))

    with Store(folder) as store:
        return asyncio.run(work(store))


def by_stage(pool: Pool) -> str:
    """Return the mean batch of each stage."""
    return ", ".join(f"{stage} {tally.items / max(1, tally.batches):.1f}" for stage, tally in pool.tallies.items())


def generic() -> tuple[Scorer, ...]:
    """Return the offline scorers."""
    return make_scorer("colourful"), make_scorer("crisp")


# Overhead over the bare pipeline.


def overhead(folder: Path, model: str, device: str) -> None:
    """Compare the loop with diffusers' pipeline and with our generator, on the same prompts and seeds in batches of the same size."""
    generator, size = flux(folder / "weights", model, device)
    generator.render([SUBJECTS[0]] * BATCH, range(BATCH))
    steering = replace(PAPER, candidates=8, iterations=1)
    parts = Parts(generator, Vocabulary(), generic())
    loops, rendered, bare, together = [], [], [], []
    for number in range(3):
        # Our generator keeps embeddings of prompts: each turn is given prompts it has not seen.
        chains = [replace(chain, seed=chain.seed + 10**6 * number) for chain in chains_of(6, generic())]
        store = folder / f"store-{number}"
        loops.append(run(store, parts, chains, steering, Workers(kind="here", render=BATCH)))
        wishes = wishes_in(store)
        generator._embeddings.clear()
        rendered.append(timed(lambda batch: generator.render(*batch), wishes))
        bare.append(timed(lambda batch: pipeline_call(generator, size, *batch, alone=True), wishes))
        together.append(timed(lambda batch: pipeline_call(generator, size, *batch, alone=False), wishes))
    rows = {
        "diffusers' pipeline, each prompt encoded alone": (min(wall for wall, _ in bare), min(cpu for _, cpu in bare)),
        "– the prompts of a batch encoded together": (min(wall for wall, _ in together), min(cpu for _, cpu in together)),
        "our generator alone": (min(wall for wall, _ in rendered), min(cpu for _, cpu in rendered)),
        "the loop: 12 chains, store, two scorers": (min(one.wall for one in loops), min(one.cpu for one in loops)),
    }
    kind = "the published architecture, random weights" if device == "cuda" else "the tiny pipeline"
    print(f"\n{model}, {kind}, {size} px, {len(wishes)} images in batches of {BATCH}, least of 3 turns, one thread")
    print("| | CPU s | over the pipeline | wall s | over the pipeline |\n|---|---|---|---|---|")
    wall_alone, cpu_alone = next(iter(rows.values()))
    for name, (wall, cpu) in rows.items():
        print(f"| {name} | {cpu:.2f} | {cpu / cpu_alone - 1:+.1%} | {wall:.2f} | {wall / wall_alone - 1:+.1%} |", flush=True)


def flux(folder: Path, model: str, device: str) -> tuple[Any, int]:
    """Return the model at random weights and the size of its images: tiny on a CPU, of the published architecture on a GPU."""
    sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
    import tiny_flux2
    import torch

    from stimuli.machine.hardware import Means

    short = {"flux2": "dev", "flux2-klein": "klein"}[model]
    torch.set_num_threads(1)
    make = getattr(tiny_flux2, f"real_{short}" if device == "cuda" else short)
    size = 512 if device == "cuda" else 128
    rendering = Rendering(size, steps=4 if device == "cpu" and model == "flux2" else None)
    return generators.make(model, rendering=rendering, means=Means(device, {model: make(folder)})), size


def pipeline_call(generator: Any, size: int, prompts: Sequence[str], seeds: Sequence[int], *, alone: bool) -> None:
    """Call diffusers' pipeline as its documentation does; a prompt encoded alone does not depend on those of its batch."""
    import torch

    pipeline = generator._ready()
    with torch.no_grad():
        embeddings = torch.cat([pipeline.encode_prompt(prompt=prompt)[0] for prompt in prompts]) if alone else None
    pipeline(
        prompt=None if alone else list(prompts),
        prompt_embeds=embeddings,
        height=size,
        width=size,
        num_inference_steps=generator._steps,
        guidance_scale=generator._guidance,
        generator=[torch.Generator("cpu").manual_seed(seed) for seed in seeds],
    )


def wishes_in(store: Path) -> list[Render]:
    """Return what a store has images of."""
    database = sqlite3.connect(store / "store.sqlite")
    rows = database.execute("SELECT request FROM results WHERE kind = 'render'").fetchall()
    database.close()
    return [Render(request["prompt"], request["seed"]) for request in (json.loads(text) for (text,) in rows)]


def timed(call: Callable[[tuple[list[str], list[int]]], object], wishes: Sequence[Render]) -> tuple[float, float]:
    """Return the wall and the CPU seconds of rendering wishes in batches."""
    began, cpu = time.perf_counter(), time.process_time()
    for start in range(0, len(wishes), BATCH):
        batch = wishes[start : start + BATCH]
        call(([wish.prompt for wish in batch], [wish.seed for wish in batch]))
    return time.perf_counter() - began, time.process_time() - cpu


# Batches, offline studies, memory.


def fills(folder: Path) -> None:
    """Print how full the batches of twelve chains are, and the time of the same chains one after the other."""
    generator, scorers = sketch(64), generic()
    parts, chains = Parts(generator, Vocabulary(), scorers), chains_of(6, scorers)
    print(f"\n12 chains, T = 20, 5 iterations, two scorers, batches of {BATCH}, sketch at 64 px")
    print("| | mean batch fill | mean batches | wall s |\n|---|---|---|---|")
    for kind, number in (("here", 1), ("processes", 1), ("processes", 2)):
        workers = Workers(kind=kind, number=number, rewrite=BATCH, render=BATCH, score=BATCH)
        told = run(folder / f"{kind}-{number}", parts, chains, PAPER, workers)
        print(f"| {kind}, {number} | {told.fill:.1%} | {told.by_stage} | {told.wall:.1f} |", flush=True)
    with Store(folder / "alone") as store:
        began = time.perf_counter()
        for chain in chains:
            asyncio.run(steer(chain, PAPER, Alone(store, generator, Vocabulary())))
        print(f"| one chain after the other | – | – | {time.perf_counter() - began:.1f} |", flush=True)


@dataclass(frozen=True)
class Settings:
    """What steering reads of study.toml."""

    experiment: ExperimentTable
    stimuli: StimuliTable
    prompt: tuple[Prompt, ...]
    condition: tuple[Condition, ...]
    group: tuple[Group, ...] = ()


def offline(folder: Path) -> None:
    """Print how long 144 offline chains take, 18 prompts by 8 scorers of which 6 are personal, without any early stop."""
    folder.mkdir()
    experiment = Experiment(folder)
    experiment.settings.write_text("# The settings of this benchmark are given as objects.\n")
    targets = tuple(f"rater-{number:02d}" for number in range(1, 7))
    settings = Settings(
        ExperimentTable("Benchmark", 7),
        StimuliTable(size=256, steering=PAPER, ratings=RatedData(), workers=Workers(kind="processes", number=2)),
        tuple(Prompt(f"p{number:02d}", text) for number, text in enumerate(SUBJECTS)),
        (
            Condition("colourful", scorer="colourful"),
            Condition("crisp", scorer="crisp"),
            Condition("personal", scorer="personal", targets=targets),
        ),
    )
    production.train(experiment, settings)
    began, cpu = time.perf_counter(), cpu_of_all()
    made = production.steer(experiment, settings)
    wall, cpu = time.perf_counter() - began, cpu_of_all() - cpu
    print(f"\n{made.chains} offline chains at 256 px, 2 processes: {made.rendered:,} images in {wall:.0f} s, {cpu:.0f} CPU s", flush=True)


def cpu_of_all() -> float:
    """Return the CPU seconds of this process and of the workers that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def memory(folder: Path) -> None:
    """Print the driver's memory after 1,000 and after about 14,544 images."""
    scorers = generic()
    parts = Parts(sketch(64), Vocabulary(), scorers)
    many = [replace(chain, seed=chain.seed + 7 * copy) for copy in range(4) for chain in chains_of(18, scorers)]
    chains = [replace(chain, run=number, image_seed=number) for number, chain in enumerate(many)]
    told: dict[int, float] = {}

    def report(what: str, done: int, total: int) -> None:
        del total
        if what == "images":
            for mark in (1000, 4000, 8000, 12_000):
                if done >= mark:
                    told.setdefault(mark, resident())

    async def work(store: Store) -> int:
        async with crew(store, parts, Workers(kind="processes", number=2), images=14_544, report=report) as pool:
            await asyncio.gather(*(steer(chain, PAPER, pool) for chain in chains))
            return pool.tallies["render"].items

    with Store(folder) as store:
        images = asyncio.run(work(store))
    told[images] = resident()
    print("\nMemory of the driver: " + ", ".join(f"{mib:.0f} MiB at {mark:,} images" for mark, mib in told.items()), flush=True)


def resident() -> float:
    """Return this process's resident memory in MiB."""
    [line] = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmRSS")]
    return int(line.split()[1]) / 1024


def painter() -> None:
    """Print how many images of 256 px the painter makes in a second of one core."""
    generator = sketch(256)
    looks = [dict(zip(AXES, phrases, strict=False)) for phrases in zip(*AXES.values(), strict=False)]
    prompts = [dressed(subject, look) for subject in SUBJECTS for look in looks]
    generator.render(prompts[:5], range(5))
    cpu = time.process_time()
    generator.render(prompts, range(len(prompts)))
    cpu = time.process_time() - cpu
    print(f"\nThe painter at 256 px: {len(prompts) / cpu:.0f} images a CPU second ({len(prompts)} prompts)", flush=True)


def sketch(size: int) -> Generator:
    """Return the offline painter."""
    return generators.make("sketch", rendering=Rendering(size))


def main() -> None:
    """Print the tables that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parts = ("painter", "fill", "overhead", "memory", "offline")
    parser.add_argument("--only", nargs="+", choices=parts, default=parts)
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--model", choices=("flux2", "flux2-klein"), default="flux2-klein")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        work: dict[str, Callable[[], None]] = {
            "painter": painter,
            "fill": lambda: fills(folder / "fill"),
            "overhead": lambda: overhead(folder / "overhead", asked.model, asked.device),
            "memory": lambda: memory(folder / "memory"),
            "offline": lambda: offline(folder / "offline"),
        }
        for part in parts:
            if part in asked.only:
                work[part]()


if __name__ == "__main__":
    main()
