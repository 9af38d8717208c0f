"""An external scorer to copy: put the official package's call into `score`, and name this file in study.toml.

[stimuli.external.official]
command = ["envs/official/bin/python", "server.py"]
version = "1.0"
"""

import json
import sys

from PIL import Image


def score(image, prompt):
    """Replace this: it only measures how much brighter than black the image is, from 0 to 1."""
    del prompt
    return sum(image.convert("L").resize((1, 1), Image.Resampling.BOX).tobytes()) / 255


def tell(what):
    """Write one line; nothing else of ours may go to standard output while a line is begun."""
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


# Load the model here, before the first line: whoever waits then knows that it is ready.
tell({"scorer": "mean brightness", "version": "1.0"})
for line in sys.stdin:
    request = json.loads(line)
    try:
        scores = [score(Image.open(path), prompt) for path, prompt in zip(request["images"], request["prompts"], strict=True)]
        tell({"id": request["id"], "scores": scores})
    except Exception as error:  # noqa: BLE001 - one bad image must not end the process
        tell({"id": request["id"], "error": f"{type(error).__name__}: {error}"})
