"""Promised seconds on this machine, which may be busy with other work."""
import contextlib
import hashlib
import os
import threading
import time

# A sanitizer makes the binary this many times slower, roughly.
SANITIZER_FACTOR = 4 if "ROOM_SIDECAR_SANITIZED" in os.environ else 1


class Slowdown:
    """Measures how much longer work takes than the processor time it needs. hashlib works without Python's lock."""
    WORK = bytes(4 << 20)

    def __init__(self):
        self._wall = self._processor = 0.0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._measure)
        self._thread.start()

    def _measure(self):
        while True:
            wall, processor = time.monotonic(), time.thread_time()
            hashlib.sha256(self.WORK).digest()
            self._wall += time.monotonic() - wall
            self._processor += time.thread_time() - processor
            if self._over.wait(0.1):
                return

    def stop(self):
        """The factor: 1 on an idle machine without a sanitizer. May be called again."""
        self._over.set()
        self._thread.join()
        return SANITIZER_FACTOR * max(1.0, self._wall / self._processor)


@contextlib.contextmanager
def within(seconds):
    """The block takes less than this on an idle machine. A busy one gets as many times longer as
    the same work takes longer there, measured meanwhile."""
    slowdown, began = Slowdown(), time.monotonic()
    try:
        yield
    finally:
        took, factor = time.monotonic() - began, slowdown.stop()
    assert took < seconds * factor, (
        f"took {took:.2f} s: more than {seconds} s on a machine that is {factor:.1f} times slower than an idle one")
