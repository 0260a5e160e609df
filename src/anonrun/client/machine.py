"""How the machine does, in numbers: processor, memory, disk, network and NVIDIA GPUs.

Numbers only: no name of a host, user, process, disk, network or GPU is read. What a system does not tell is left out of
the sample; nothing here raises.
"""

from __future__ import annotations

import contextlib
import importlib
import time
from collections.abc import Callable, Iterator
from typing import Any

import psutil

__all__ = ["Machine"]

_MB = 1e6
_LOOPBACK = ("lo", "Loopback")  # Linux and macOS, Windows


class Machine:
    """This machine, and this process on it. Rates are counted from one sample to the next, the first from here on.

    Args:
        clock: monotonic seconds; replaced only by tests.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._process = psutil.Process()
        self._gpus = _Gpus()
        self._counted = _traffic()
        self._counted_at = clock()
        with contextlib.suppress(Exception):
            psutil.cpu_percent()  # counts from here

    def sample(self) -> dict[str, float]:
        """Return the metrics of this instant by their names, without a prefix."""
        found: dict[str, float] = {}
        for part in (self._processor, self._memory, self._process_memory, _disk, self._network, self._gpus.sample):
            with contextlib.suppress(Exception):  # a system that does not tell this one tells the others
                found.update(part())
        return found

    def close(self) -> None:
        """Let go of the GPUs."""
        self._gpus.close()

    def _processor(self) -> Iterator[tuple[str, float]]:
        yield "cpu", psutil.cpu_percent()

    def _memory(self) -> Iterator[tuple[str, float]]:
        yield "memory", psutil.virtual_memory().percent

    def _process_memory(self) -> Iterator[tuple[str, float]]:
        yield "process_memory", self._process.memory_info().rss / _MB

    def _network(self) -> Iterator[tuple[str, float]]:
        now, at = _traffic(), self._clock()
        before, before_at = self._counted, self._counted_at
        self._counted, self._counted_at = now, at
        if now is None or before is None or at <= before_at:
            return
        for name, count, count_before in zip(("network_sent", "network_received"), now, before, strict=True):
            yield name, max(0, count - count_before) / _MB / (at - before_at)


def _disk() -> Iterator[tuple[str, float]]:
    yield "disk", psutil.disk_usage(".").percent


def _traffic() -> tuple[int, int] | None:
    """Return the bytes sent and received so far, but those that the machine sent to itself; None where unknown."""
    with contextlib.suppress(Exception):
        cards = [one for name, one in psutil.net_io_counters(pernic=True).items() if not name.startswith(_LOOPBACK)]
        return sum(one.bytes_sent for one in cards), sum(one.bytes_recv for one in cards)
    return None


class _Gpus:
    """The NVIDIA GPUs that `pynvml` finds; none where it is not installed or finds no driver."""

    def __init__(self) -> None:
        self._nvml: Any = None
        self._handles: list[Any] = []
        with contextlib.suppress(Exception):
            nvml = importlib.import_module("pynvml")
            nvml.nvmlInit()
            self._nvml = nvml
            self._handles = [nvml.nvmlDeviceGetHandleByIndex(i) for i in range(nvml.nvmlDeviceGetCount())]

    def sample(self) -> Iterator[tuple[str, float]]:
        nvml = self._nvml
        parts: tuple[tuple[str, Callable[[Any], float]], ...] = (
            ("utilization", lambda gpu: nvml.nvmlDeviceGetUtilizationRates(gpu).gpu),
            ("memory", lambda gpu: _share(nvml.nvmlDeviceGetMemoryInfo(gpu))),
            ("temperature", lambda gpu: nvml.nvmlDeviceGetTemperature(gpu, nvml.NVML_TEMPERATURE_GPU)),
            ("power", lambda gpu: nvml.nvmlDeviceGetPowerUsage(gpu) / 1e3),
        )
        for i, gpu in enumerate(self._handles):
            for name, read in parts:
                with contextlib.suppress(Exception):  # not every GPU has every sensor
                    yield f"gpu{i}/{name}", float(read(gpu))

    def close(self) -> None:
        if self._nvml is not None:
            with contextlib.suppress(Exception):
                self._nvml.nvmlShutdown()


def _share(memory: Any) -> float:  # noqa: ANN401  what NVML gives
    return 100.0 * float(memory.used) / float(memory.total)
