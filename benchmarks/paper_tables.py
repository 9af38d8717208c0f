"""The paper's Tables 3 and 4 by its own model in a synthetic world: inputs left out, and how new people are matched.

OMP_NUM_THREADS=1 python benchmarks/paper_tables.py FOLDER [seed] [--reduced]

About forty minutes of one core. Trainings are kept in FOLDER after each epoch, so a run that was stopped goes on.
"""

import argparse
import time
from pathlib import Path

import numpy as np
import torch
from paper_predictor import PUBLISHED, REDUCED, SEEN, SHOTS, UNSEEN, splits_of

from analysis.predictor_metrics import by_user, few_shot
from stimuli.predictions import Predictions
from stimuli.predictors import paper
from stimuli.predictors.paper_settings import PaperModel
from stimuli.predictors.paper_tables import ABLATIONS, RatedSplits, ablate, grid
from stimuli.simulation import synthetic

DRAWS = 10


def main() -> None:
    """Print both tables, each row as soon as it is known."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="where unfinished trainings are kept")
    parser.add_argument("seed", type=int, nargs="?", default=11)
    parser.add_argument("--reduced", action="store_true", help="half the width and four epochs, some ten minutes")
    given = parser.parse_args()
    torch.set_num_threads(1)
    given.folder.mkdir(parents=True, exist_ok=True)
    settings = REDUCED if given.reduced else PUBLISHED
    data = splits_of(synthetic.make("linear", seed=given.seed))
    print(f"{settings}\nlinear world, seed {given.seed}, k = {SHOTS}, {DRAWS} draws\n")
    print(f"{'':28s} seen   new    gap    95 % over new people  draws' sd")
    for name in ABLATIONS:
        began = time.process_time()
        rows = ablate(data, settings, names=[name], number=DRAWS, seed=given.seed, device="cpu", resume=given.folder)
        _tell(name, rows, time.process_time() - began)
    _grid(data, settings, given.folder, given.seed)


def _tell(name: str, rows: Predictions, seconds: float) -> None:
    seen = float(by_user(rows.of(model=name, split=SEEN)).srocc.mean())
    new = few_shot(rows.of(model=name, split=UNSEEN), rng=np.random.default_rng(0))[0]
    print(
        f"{name:28s} {seen:.3f}  {new.srocc.value:.3f}  {seen - new.srocc.value:.3f}  {new.srocc.low:.3f} to {new.srocc.high:.3f}        "
        f"{new.draw_sd:.3f}   ({seconds:.0f} CPU s)",
        flush=True,
    )


def _grid(data: RatedSplits, settings: PaperModel, folder: Path, seed: int) -> None:
    # The whole model is trained already, so this only reads it.
    whole = folder / "full-model.safetensors"
    model = paper.fit(data.looks, data.people, data.of("train"), settings, seed=seed, device="cpu", resume=whole)
    found = grid(data, model, number=DRAWS, seed=seed)
    print("\nSROCC of val_unseen by ratings seen, and the entropy of the weights at 15 as a share of that of equal ones")
    for name in dict.fromkeys(one.model for one in found.sharpness):
        rows = few_shot(found.predictions.of(model=name, split="val_unseen"), rng=np.random.default_rng(0))
        [sharp] = [one for one in found.sharpness if one.model == name and one.context == SHOTS]
        share = f"{sharp.entropy / sharp.uniform:.5f}" if sharp.uniform else "-"
        print(f"{name:18s}", "  ".join(f"{row.context}: {row.srocc.value:.3f}" for row in rows), f"  {share}")


if __name__ == "__main__":
    main()
