"""How long the report of a study as large as the paper's takes to build, the first time and again, and how large its page is.

Run: OMP_NUM_THREADS=1 python benchmarks/report.py [--pixels 1024] [--folder FOLDER, kept]
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from paper_sized import Size, paper_sized

from reports.page import build
from stimuli.experiment import Experiment


def main(folder: Path, pixels: int) -> None:
    """Print what two builds take, of an experiment that is made first where `folder` holds none."""
    began = time.perf_counter()
    experiment = Experiment(folder) if (folder / "results.json").is_file() else paper_sized(folder, Size(pixels=pixels))
    print(f"made and analysed in {time.perf_counter() - began:.1f} s")
    experiment.small_copies.unlink(missing_ok=True)
    images = len({path.name for path in (*experiment.images.glob("*.png"), *experiment.work.glob("*.png"))})
    for which in ("first", "again"):
        began, used = time.perf_counter(), time.process_time()
        page = build(experiment, title="A simulated study as large as the paper’s")
        taken, used = time.perf_counter() - began, time.process_time() - used
        size = page.stat().st_size / 1e6
        print(f"report built, {which}: {taken:.1f} s, {used:.1f} s of CPU; {images} images; the page has {size:.1f} MB")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--pixels", type=int, default=256)
    parser.add_argument("--folder", type=Path)
    asked = parser.parse_args()
    if asked.folder:
        main(asked.folder, asked.pixels)
    else:
        with tempfile.TemporaryDirectory() as temporary:
            main(Path(temporary) / "study", asked.pixels)
