"""How the machine does: samples beside what is logged, which disturb nothing of it."""

from __future__ import annotations

import sys
import threading
import types
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psutil
import pytest

from anonrun.client.machine import Machine
from anonrun.client.notices import Notices
from anonrun.client.recorder import Recorder
from anonrun.client.resuming import on_disk
from anonrun.client.sampler import Sampler
from anonrun.client.settings import read_settings
from anonrun.client.spool.writer import SpoolWriter
from anonrun.errors import UsageError
from support.runs import only_run_of, runs_of
from support.script import run_script
from support.server import Server

_OF_EVERY_MACHINE = {"cpu", "memory", "process_memory", "disk", "network_sent", "network_received"}


def test_a_sample_is_numbers_of_this_machine_and_process() -> None:
    now = [100.0]
    machine = Machine(clock=lambda: now[0])
    now[0] += 10
    sample = machine.sample()
    machine.close()
    assert set(sample) == _OF_EVERY_MACHINE
    assert all(0 <= sample[name] <= 100 for name in ("cpu", "memory", "disk"))
    assert 1 < sample["process_memory"] < 100_000
    assert min(sample["network_sent"], sample["network_received"]) >= 0


def test_what_a_machine_does_not_tell_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object, **__: object) -> None:
        raise PermissionError("no /proc here")

    for name in ("cpu_percent", "net_io_counters", "disk_usage"):
        monkeypatch.setattr(psutil, name, refused)
    assert set(Machine().sample()) == {"memory", "process_memory"}


class _Nvml(types.ModuleType):
    """What `pynvml` is of a machine with two GPUs, of which the second has no sensor for its power."""

    NVML_TEMPERATURE_GPU = 0

    def __init__(self) -> None:
        super().__init__("pynvml")
        self.open = 0

    def nvmlInit(self) -> None:  # noqa: N802  NVML's names
        self.open += 1

    def nvmlShutdown(self) -> None:  # noqa: N802
        self.open -= 1

    def nvmlDeviceGetCount(self) -> int:  # noqa: N802
        return 2

    def nvmlDeviceGetHandleByIndex(self, index: int) -> int:  # noqa: N802
        return index

    def nvmlDeviceGetUtilizationRates(self, gpu: int) -> Any:  # noqa: N802
        return types.SimpleNamespace(gpu=90 + gpu, memory=5)

    def nvmlDeviceGetMemoryInfo(self, gpu: int) -> Any:  # noqa: N802
        return types.SimpleNamespace(total=8 << 30, used=(2 + gpu) << 30)

    def nvmlDeviceGetTemperature(self, gpu: int, sensor: int) -> int:  # noqa: N802
        return 60 + gpu + sensor

    def nvmlDeviceGetPowerUsage(self, gpu: int) -> int:  # noqa: N802
        if gpu:
            raise RuntimeError("not supported")
        return 250_500


def test_gpus_are_sampled_where_nvml_is_there_each_by_its_sensors(monkeypatch: pytest.MonkeyPatch) -> None:
    nvml = _Nvml()
    monkeypatch.setitem(sys.modules, "pynvml", nvml)
    machine = Machine()
    assert {name: value for name, value in machine.sample().items() if name not in _OF_EVERY_MACHINE} == {
        "gpu0/utilization": 90, "gpu0/memory": 25, "gpu0/temperature": 60, "gpu0/power": 250.5,
        "gpu1/utilization": 91, "gpu1/memory": 37.5, "gpu1/temperature": 61,
    }  # fmt: skip
    machine.close()
    assert nvml.open == 0


def test_without_a_driver_there_are_no_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    nvml = _Nvml()
    monkeypatch.setattr(nvml, "nvmlInit", lambda: 1 / 0)
    monkeypatch.setitem(sys.modules, "pynvml", nvml)
    assert set(Machine().sample()) == _OF_EVERY_MACHINE


def _sampled(ages: list[float], *, complain: Any = None, keep: Any = None) -> list[tuple[int, set[str]]]:
    """Return steps and names of as many samples as there are ages."""
    found: list[tuple[int, set[str]]] = []
    enough = threading.Event()

    def kept(sample: Mapping[str, float], step: int) -> None:
        if keep is not None:
            keep()
        found.append((step, set(sample)))
        if not ages:
            enough.set()
            sampler.stop()

    def said(text: str) -> None:
        complain(text)
        enough.set()

    sampler = Sampler(kept, lambda: ages.pop(0), every_s=0.01, prefix="system/", complain=said)
    sampler.start()
    assert enough.wait(20)
    return found


def test_a_samples_step_is_the_runs_age_and_never_goes_back() -> None:
    samples = _sampled([10.2, 20.3, 5.0, float("nan"), 40.9])
    assert [step for step, _ in samples] == [10, 20, 20, 20, 40]
    assert samples[0][1] == {f"system/{name}" for name in _OF_EVERY_MACHINE}


def test_what_goes_wrong_ends_the_samples_and_is_said() -> None:
    said: list[str] = []

    def fail() -> None:
        raise RuntimeError("the reason")

    assert _sampled([1.0], complain=said.append, keep=fail) == []
    assert "RuntimeError: the reason" in said[0]


def test_a_sample_is_beside_what_is_logged(tmp_path: Path) -> None:
    recorder = Recorder(SpoolWriter(tmp_path), Notices())
    recorder.log({"loss": 1.0})
    recorder.log_sample({"system/cpu": 50.0}, 900)
    recorder.log({"loss": 0.5})
    recorder.log_sample({"system/cpu": 60.0}, 910)
    assert (recorder.step, recorder.rows, recorder.samples) == (2, 2, 2)
    assert recorder.latest() == {"loss": 0.5}
    recorder.closed = True
    recorder.log_sample({"system/cpu": 60.0}, 920)
    assert recorder.samples == 2


@pytest.mark.parametrize(
    ("environ", "asked", "every_s"),
    [
        pytest.param({}, None, 10.0, id="by default"),
        pytest.param({}, True, 10.0, id="on"),
        pytest.param({}, False, None, id="off"),
        pytest.param({}, 30, 30.0, id="seconds"),
        pytest.param({}, 0, None, id="no seconds"),
        pytest.param({"ANONRUN_SYSTEM_METRICS": "0"}, None, None, id="off by the environment"),
        pytest.param({"ANONRUN_SYSTEM_METRICS": "Off"}, None, None, id="off in words"),
        pytest.param({"ANONRUN_SYSTEM_METRICS": "2.5"}, None, 2.5, id="seconds by the environment"),
        pytest.param({"ANONRUN_SYSTEM_METRICS": "0"}, 5, 5.0, id="arguments stand before the environment"),
        pytest.param({"RANK": "1"}, None, 10.0, id="another rank with a run of its own"),
    ],
)
def test_how_often_samples_are_taken(environ: dict[str, str], asked: Any, every_s: float | None) -> None:
    assert read_settings(environ, system_metrics=asked).system_every_s == every_s


def test_a_rank_that_adds_to_anothers_run_takes_samples_only_where_it_is_asked() -> None:
    environ = {"RANK": "1", "ANONRUN_SYSTEM_METRICS": "5"}
    run: dict[str, Any] = {"id": "train-7", "resume": "allow", "mode": "online"}
    assert read_settings(environ, **run).system_every_s is None
    assert read_settings(environ, **run, system_metrics=True).system_every_s == 10


@pytest.mark.parametrize("value", ["often", -1, 0.01, float("nan"), 1e9, [5]])
def test_what_is_no_number_of_seconds_is_refused_with_what_to_give(value: Any) -> None:
    with pytest.raises(UsageError, match=r"from 1 to 86400; give one such as 30, or 0"):
        read_settings({}, system_metrics=value)
    with pytest.raises(UsageError, match="ANONRUN_SYSTEM_METRICS='often'"):
        read_settings({"ANONRUN_SYSTEM_METRICS": "often"})


_SAMPLED = """if True:
    import time, anonrun
    run = anonrun.init(id="mine", resume="allow", system_metrics=1)
    assert run.step == {first}, run.step
    for i in range(3): run.log({{"loss": i}})
    sampled = lambda: run._recording.recorder.samples
    end = time.monotonic() + 30
    while sampled() < 2 and time.monotonic() < end: time.sleep(0.05)
    assert sampled() >= 2
    assert run.step == {first} + 3
    assert dict(run.summary) == {{"loss": 2}}, run.summary
    assert run.status().rows == 3
    run.finish()
"""


def test_a_run_has_samples_and_goes_on_where_its_training_stood(home: Path, shared_server: Server) -> None:
    at = {"ANONRUN_SERVER": shared_server.url}
    done = run_script(_SAMPLED.format(first=0), home, **at)
    assert "3 rows" in done.stderr
    run_script(_SAMPLED.format(first=3), home, **at)
    run = only_run_of(home, **at)
    assert {name for name in run["points"] if name != "loss"} == {f"system/{name}" for name in _OF_EVERY_MACHINE}
    assert (run["steps"]["loss"], run["summary"]) == ([0, 1, 2, 3, 4, 5], {"loss": 2})
    steps = run["steps"]["system/cpu"]
    assert steps == sorted(steps)
    assert 1 <= steps[0] < steps[-1] < 120
    read = run_script("import anonrun; print([sorted(r) for r in anonrun.Api().runs()[0].history()])", home, **at)
    assert "system/" not in read.stdout


def test_the_samples_of_another_rank_say_whose_they_are(home: Path, shared_server: Server) -> None:
    script = """if True:
        import time, anonrun
        run = anonrun.init(id="train-7", resume="allow", mode="online", system_metrics=1)
        end = time.monotonic() + 30
        while not run._recording.recorder.samples and time.monotonic() < end: time.sleep(0.05)
    """
    at = {"ANONRUN_SERVER": shared_server.url}
    run_script(script, home, RANK="2", **at)
    assert set(only_run_of(home, **at)["points"]) == {f"system/rank2/{name}" for name in _OF_EVERY_MACHINE}


def test_an_offline_run_goes_on_where_its_training_stood(home: Path) -> None:
    run_script("import anonrun; anonrun.init(id='mine', mode='offline').log({'loss': 1})", home)
    (folder,) = (home / "spool").iterdir()
    recorder = Recorder(SpoolWriter(folder), Notices())
    recorder.log_sample({"system/cpu": 50.0}, 5_000)
    standing = on_disk(home / "spool", but="", server=None, project="uncategorized", id_="mine")
    assert standing is not None
    assert standing.next_step == 1


def test_a_short_script_loads_nothing_and_has_no_samples(home: Path, shared_server: Server) -> None:
    script = """if True:
        import sys, anonrun
        with anonrun.init(system_metrics=True) as run: run.log({"loss": 1})
        assert "anonrun.client.machine" not in sys.modules
    """
    run_script(script, home, ANONRUN_SERVER=shared_server.url)
    assert [list(run["points"]) for run in runs_of(home, ANONRUN_SERVER=shared_server.url)] == [["loss"]]


def test_forked_children_take_no_samples(home: Path) -> None:
    script = """if True:
        import os, anonrun
        run = anonrun.init(mode="offline", system_metrics=1)
        child = os.fork()
        if not child:
            assert run._recording._sampler is None
            run.finish()
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        assert run._recording._sampler is not None
    """
    if not hasattr(__import__("os"), "fork"):
        pytest.skip("there is no fork on this system")
    run_script(script, home)
