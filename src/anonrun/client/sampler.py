"""Takes samples of the machine now and then, in a thread of its own, for as long as the run goes on.

A sample's step is the run's age in whole seconds, so that the samples of a run that is resumed, or was begun by another
process, follow each other. Nothing is read before the first sample is near: a short script pays nothing.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Mapping

__all__ = ["EVERY_S", "LEAST_S", "Sampler"]

EVERY_S = 10.0
"""Seconds between samples where nobody says otherwise."""

LEAST_S = 1.0
"""The shortest pause that can be asked for."""

_WARM_UP_S = 1.0


class Sampler:
    """Samples one machine for one run.

    Args:
        keep: takes a sample and its step.
        age_s: gives the run's age in seconds.
        every_s: seconds between samples, and before the first.
        prefix: with which the metrics' names begin.
        complain: takes a sentence where no samples can be taken.
    """

    def __init__(
        self,
        keep: Callable[[Mapping[str, float], int], object],
        age_s: Callable[[], float],
        *,
        every_s: float,
        prefix: str,
        complain: Callable[[str], object],
    ) -> None:
        self._keep = keep
        self._age_s = age_s
        self._every_s = every_s
        self._prefix = prefix
        self._complain = complain
        self._step = 0
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._work, name="anonrun-sampler", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Take no further sample; does not wait for one that is being taken."""
        self._stopped.set()

    def _work(self) -> None:
        try:
            self._sample()
        except Exception as exc:  # noqa: BLE001  whatever a machine does, the training goes on
            self._complain(f"The machine's metrics are not recorded any more: {type(exc).__name__}: {exc}.")

    def _sample(self) -> None:
        warm_up_s = min(_WARM_UP_S, self._every_s / 2)
        if self._stopped.wait(self._every_s - warm_up_s):
            return
        # Rates need a first look, from which they are counted.
        from anonrun.client.machine import Machine  # noqa: PLC0415  psutil takes a while to load

        machine = Machine()
        pause_s = warm_up_s
        while not self._stopped.wait(pause_s):
            pause_s = self._every_s
            sample = machine.sample()
            # A clock that is set back must not have samples go back.
            with contextlib.suppress(OverflowError, ValueError):
                self._step = max(self._step, int(self._age_s()))
            if sample and not self._stopped.is_set():
                self._keep({self._prefix + name: value for name, value in sample.items()}, self._step)
        machine.close()
