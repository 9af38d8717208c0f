"""Every seed comes from the experiment's seed and the name of what it is for, so that nothing depends on the order of work."""

import hashlib


def seed_for(experiment_seed: int, *purpose: str | int) -> int:
    """Return a seed in 0..2³²-1 for one purpose; different purposes give unrelated seeds.

    >>> seed_for(1, "image", "glasshouse") == seed_for(1, "image", "glasshouse")
    True
    >>> seed_for(1, "image", "glasshouse") == seed_for(2, "image", "glasshouse")
    False
    """
    name = "\x1f".join([str(experiment_seed), *map(str, purpose)])
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "big")
