"""The token bucket with which a stage limits its requests."""

import threading
import time
from collections.abc import Callable


class Throttle:
    """Allows `rate` requests a second, and `burst` at once; `clock` tells the time in seconds.

    Source: API Gateway's developer guide, throttling: tokens are added at `rate`, the bucket holds `burst`.
    """

    def __init__(self, rate: float, burst: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = rate
        self._burst = burst
        self._clock = clock
        self._lock = threading.Lock()
        self._tokens = float(burst)
        self._at = clock()

    def admits(self) -> bool:
        """Take a token for one request, and return True; False if there is none."""
        with self._lock:
            now = self._clock()
            self._tokens = min(self._tokens + (now - self._at) * self._rate, float(self._burst))
            self._at = now
            if self._tokens < 1.0:
                return False
            self._tokens -= 1.0
            return True
