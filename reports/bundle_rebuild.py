"""Makes results.json and the report of this bundle again, from its votes, and says whether every byte is the same.

Run it as `python rebuild.py`, with the Python in which tastebench is installed. It needs nothing else, and changes nothing here.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

# What no analysis decides: the time it ran at, and what it ran with.
_CIRCUMSTANCES = ("made_at", "packages", "git_commit")


def make(folder: Path, *, leave_out: list[str], regularise: bool, secondary: bool, like: dict[str, Any]) -> list[str]:
    """Make results.json and report/ in `folder`, with the circumstances of `like`; return what they were in truth where they differ."""
    options = [*(f"--without={name}" for name in leave_out), *(["--regularise"] * regularise), *(["--secondary"] * secondary)]
    _tastebench("analysis", "fit", *options, folder=folder)
    path = folder / "results.json"
    found = json.loads(path.read_text(encoding="utf-8"))
    now = found["provenance"]
    other = [f"{name}: {like.get(name)} then, {now.get(name)} now" for name in _CIRCUMSTANCES[1:] if like.get(name) != now.get(name)]
    now.update({name: like[name] for name in _CIRCUMSTANCES if name in like})
    path.write_text(json.dumps(found, indent=2, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8")
    _tastebench("reports", "build", folder=folder)
    return other


def verify(bundle: Path) -> int:
    """Make everything again in another folder, print what is the same and what is not, and return 0 where all bytes are."""
    listed = json.loads((bundle / "bundle.json").read_text(encoding="utf-8"))
    changed = [name for name, digest in listed["files"].items() if not (bundle / name).is_file() or _sha256(bundle / name) != digest]
    if changed:
        return _told(f"These files are not as they were packed: {', '.join(changed[:5])}. Unpack the bundle anew.", 2)
    made = [name for name in listed["files"] if name == "results.json" or name.startswith("report/")]
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "again"
        for name in ["bundle.json", *sorted(set(listed["files"]) - set(made))]:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(bundle / name, folder / name)
        then = json.loads((bundle / "results.json").read_text(encoding="utf-8"))
        other = make(folder, **listed["analysis"], like=then["provenance"])
        again = {str(path.relative_to(folder)) for path in [folder / "results.json", *(folder / "report").rglob("*")] if path.is_file()}
        differ = sorted(name for name in made if name not in again or _sha256(folder / name) != listed["files"][name])
        more = sorted(again - set(made))
    for line in other:
        _told(f"Made with other versions. {line}", 0)
    if differ or more:
        return _told(
            f"{len(made) - len(differ)} of {len(made)} files are the same, byte for byte. Not the same: {', '.join([*differ, *more])}. "
            "With the versions in requirements.txt and environment.json they should be.",
            1,
        )
    return _told(f"results.json and the report were made again from the votes: all {len(made)} files are the same, byte for byte.", 0)


def _tastebench(*arguments: str, folder: Path) -> None:
    command = [sys.executable, "-m", "tastebench", *arguments, str(folder)]
    environment = os.environ | {"NO_COLOR": "1", "PYTHONIOENCODING": "utf-8"}
    # Not from the current folder: a file called tastebench.py there would be taken for the program.
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False, cwd=folder.parent, env=environment)
    if done.returncode:
        raise RuntimeError(f"tastebench {' '.join(arguments)} did not end well: {done.stderr.strip() or done.stdout.strip()}")


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _told(sentence: str, status: int) -> int:
    (sys.stderr if status else sys.stdout).write(f"{sentence}\n")
    return status


if __name__ == "__main__":
    sys.exit(verify(Path(__file__).resolve().parent))
