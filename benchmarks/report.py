"""How long the report of a study as large as the paper's takes to build, and how large its page is.

Run: OMP_NUM_THREADS=1 python benchmarks/report.py [folder, kept]
"""

import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from paper_sized import Size, paper_sized

from reports.page import build
from stimuli.experiment import Experiment


def main(folder: Path) -> None:
    """Print what one build takes, of an experiment that is made first where `folder` holds none."""
    began = time.perf_counter()
    experiment = Experiment(folder) if (folder / "results.json").is_file() else paper_sized(folder, Size())
    print(f"made and analysed in {time.perf_counter() - began:.1f} s")
    began = time.perf_counter()
    page = build(experiment, title="A simulated study as large as the paper’s")
    images = len({path.name for path in (*experiment.images.glob("*"), *experiment.work.glob("*"))})
    taken = time.perf_counter() - began
    print(f"report built in {taken:.1f} s; {images} images; the page has {page.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(Path(sys.argv[1]))
    else:
        with tempfile.TemporaryDirectory() as temporary:
            main(Path(temporary) / "study")
