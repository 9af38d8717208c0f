"""How long whoever tries passwords has to wait: after a few failures longer each time, and all tries together are limited too."""

import ipaddress
import threading
from collections.abc import Callable
from dataclasses import dataclass

# Failures that cost nothing, for one address and for all of them; each further one doubles the wait.
FREE, FREE_IN_ALL = 5, 50
_FIRST_WAIT, _LONGEST_WAIT = 15.0, 900.0
_FORGOTTEN_AFTER = 24 * 3600.0
_MOST_ADDRESSES = 10_000
_EVERYBODY = "all addresses"


@dataclass(frozen=True)
class _Failures:
    count: int
    latest: float


class Throttle:
    """Counts failed tries. It is kept in memory: a restarted page forgets them, which only its researcher can bring about."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._failures: dict[str, _Failures] = {}
        self._lock = threading.Lock()

    def begin(self, address: str) -> float:
        """Return 0 if a try from `address` may go on, else for how many seconds none may.

        The try counts as failed until `succeeded` is called, so that many at once get no further than many in a row.
        """
        keys = (_network(address), _EVERYBODY)
        with self._lock:
            wait = max(self._wait(key) for key in keys)
            if wait <= 0:
                for key in keys:
                    self._failures[key] = _Failures(self._count(key) + 1, self._clock())
                self._forget()
        return max(0.0, wait)

    def succeeded(self, address: str) -> None:
        """Forget the failures of `address`, and take this try off the count of all."""
        with self._lock:
            self._failures.pop(_network(address), None)
            together = self._failures[_EVERYBODY]
            self._failures[_EVERYBODY] = _Failures(together.count - 1, together.latest)

    def _wait(self, key: str) -> float:
        beyond = self._count(key) - (FREE_IN_ALL if key == _EVERYBODY else FREE)
        if beyond < 0:
            return 0.0
        wait = min(_LONGEST_WAIT, _FIRST_WAIT * 2.0 ** min(beyond, 20))
        return self._failures[key].latest + wait - self._clock()

    def _count(self, key: str) -> int:
        found = self._failures.get(key)
        return found.count if found and self._clock() - found.latest < _FORGOTTEN_AFTER else 0

    def _forget(self) -> None:
        if len(self._failures) > _MOST_ADDRESSES:
            oldest = sorted(self._failures, key=lambda key: self._failures[key].latest)
            for key in oldest[: _MOST_ADDRESSES // 2]:
                del self._failures[key]


def _network(address: str) -> str:
    """Return whom an address stands for; one household has 2**64 addresses of IPv6, which count as one."""
    try:
        known = ipaddress.ip_address(address.split("%")[0])
    except ValueError:
        return address
    return address if known.version == 4 else str(ipaddress.ip_network((known, 64), strict=False))
