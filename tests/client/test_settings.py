from __future__ import annotations

import argparse
import dataclasses
import enum
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from anonrun.client.address import checked_url
from anonrun.client.announce import announcement
from anonrun.client.config import Config, Summary
from anonrun.client.notices import Notices
from anonrun.client.plain import fit, plain
from anonrun.client.settings import read_settings, refuse_unknown
from anonrun.errors import UsageError


def test_arguments_stand_before_the_environment() -> None:
    environ = {
        "ANONRUN_SERVER": "https://a.test/x/",
        "ANONRUN_PROJECT": "pa",
        "ANONRUN_MODE": "offline",
        "ANONRUN_ANONYMOUS": "must",
    }
    by_environment = read_settings(environ)
    assert (by_environment.server, by_environment.project) == ("https://a.test/x", "pa")
    assert (by_environment.mode, by_environment.anonymous) == ("offline", "must")
    asked = read_settings(environ, server="http://b.test", project="pb", mode="online", anonymous="never")
    assert (asked.server, asked.project, asked.mode, asked.anonymous) == ("http://b.test", "pb", "online", "never")


@pytest.mark.parametrize("value", ["true", "false", "yes", True, 1])
def test_an_unknown_value_of_anonymous_names_the_three(value: Any) -> None:
    with pytest.raises(UsageError, match="'allow', 'must' or 'never'"):
        read_settings({}, anonymous=value)


def test_an_unknown_value_in_the_environment_names_its_variable() -> None:
    with pytest.raises(UsageError, match="ANONRUN_ANONYMOUS='maybe'"):
        read_settings({"ANONRUN_ANONYMOUS": "maybe"})


@pytest.mark.parametrize(
    "asked",
    [
        {"mode": "fast"},
        {"project": "a b"},
        {"id": "../x"},
        {"resume": "must"},
        {"resume": "maybe", "id": "x"},
        {"reinit": "sometimes"},
        {"config": [1]},
        {"tags": 3},
        {"notes": "x" * 5_000},
        {"server": "runs.example.org"},
        {"server": "ftp://x"},
        {"server": "https://user:secret@x.test"},
        {"server": "https://x.test/?t=1"},
        {"server": "http://x.test:port"},
    ],
)
def test_a_value_that_cannot_be_used_is_refused(asked: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        read_settings({}, **asked)


@pytest.mark.parametrize(
    ("resume", "meant"), [(None, "never"), (False, "never"), (True, "allow"), ("auto", "allow"), ("allow", "allow")]
)
def test_resume_is_understood_as_in_wandb(resume: Any, meant: str) -> None:
    assert read_settings({}, resume=resume).resume == meant


@pytest.mark.parametrize("name", ["RANK", "LOCAL_RANK", "SLURM_PROCID"])
def test_ranks_other_than_0_are_silent_unless_asked(name: str) -> None:
    assert read_settings({name: "0"}).mode == "online"
    assert read_settings({name: "3"}).mode == "disabled"
    assert read_settings({name: "3"}, mode="online").mode == "online"
    assert read_settings({name: "3", "ANONRUN_MODE": "offline"}).mode == "offline"


def test_an_unknown_argument_offers_the_nearest() -> None:
    with pytest.raises(TypeError, match="Did you mean 'project'"):
        refuse_unknown(["projekt"], ["project", "name"], "init()")
    with pytest.raises(TypeError, match="It takes name, project"):
        refuse_unknown(["zzz"], ["project", "name"], "init()")


def test_the_address_loses_its_trailing_slash_only() -> None:
    assert checked_url(" https://Lab.test:8443/a/b/ ") == "https://Lab.test:8443/a/b"


class _Colour(enum.Enum):
    RED = "red"


@dataclasses.dataclass
class _Options:
    lr: float
    inner: dict[str, Any]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (np.float32(0.5), 0.5),
        (np.int64(3), 3),
        (np.bool_(True), 1),
        (float("nan"), "NaN"),
        (float("-inf"), "-Infinity"),
        (np.float64("inf"), "Infinity"),
        (Path("a/b"), "a/b"),
        (_Colour.RED, "red"),
        ({1: (2, {3})}, {"1": [2, [3]]}),
        (_Options(0.1, {"a": None}), {"lr": 0.1, "inner": {"a": None}}),
        (argparse.Namespace(lr=1), {"lr": 1}),
        ("\ud800", "?"),
        (10**30, 10**30),
    ],
)
def test_any_value_becomes_json(value: Any, expected: Any) -> None:
    assert plain(value) == expected
    json.dumps(plain(value), allow_nan=False)


def test_what_refers_to_itself_comes_to_an_end() -> None:
    endless: dict[str, Any] = {}
    endless["again"] = endless
    json.dumps(plain(endless))


def test_a_long_text_is_cut() -> None:
    assert len(plain("x" * 10_000)) == 4_000


def test_the_largest_entries_make_way_in_a_full_config() -> None:
    entries = {"small": 1, "large": "x" * 900, "middle": "y" * 200}
    kept, left_out = fit(entries, 500)
    assert (set(kept), left_out) == ({"small", "middle"}, ["large"])


def test_config_writes_through_by_key_and_by_attribute() -> None:
    saved: list[dict[str, Any]] = []
    config = Config({"lr": 0.1}, saved.append, Notices(silent=True))
    config["epochs"] = np.int64(3)
    config.optimiser = "adam"
    config.update(argparse.Namespace(lr=0.2), depth=4)
    del config["depth"]
    assert dict(config) == {"lr": 0.2, "epochs": 3, "optimiser": "adam"}
    assert saved == [
        {"config": {"epochs": 3}},
        {"config": {"optimiser": "adam"}},
        {"config": {"lr": 0.2, "depth": 4}},
        {"config_removed": ["depth"]},
    ], "only what changed: another process may have set the rest"
    assert config.lr == 0.2
    with pytest.raises(AttributeError, match="missing"):
        _ = config.missing
    with pytest.raises(UsageError):
        config.update(3)


def test_summary_shows_what_was_logged_and_what_was_set() -> None:
    saved: list[dict[str, Any]] = []
    summary = Summary(lambda: {"loss": 0.5, "acc": 0.9}, saved.append)
    summary["best"] = np.float32(0.25)
    summary.update({"acc": 1.0})
    assert dict(summary) == {"loss": 0.5, "acc": 1.0, "best": 0.25}
    assert saved == [{"best": 0.25}, {"acc": 1.0}]


def test_the_announcement_keeps_its_secret_apart() -> None:
    from datetime import datetime, timedelta, timezone

    from anonrun.client.status import ClientStatus, RunSecrets, ServerRef
    from anonrun.core.messages import RunInfo, RunState

    now = datetime(2026, 11, 24, tzinfo=timezone.utc)
    info = RunInfo(
        run_id="r", account="a", project="p", id="i", name="n", state=RunState.RUNNING, anonymous=True, created_at=now,
        server_time=now, url_path="r/r", expires_at=now + timedelta(days=7),
    )  # fmt: skip
    status = ClientStatus(
        state=RunState.RUNNING, rows=0, unsent_rows=0, trouble=None, connected=True, anonymous=True, expires_at=None,
        server=ServerRef("http://s", "i", embedded=True), server_time_offset_s=0.0,
    )  # fmt: skip
    public, secret = announcement(info, status, RunSecrets("VIEW", "CLAIM"))
    assert "VIEW" not in public
    assert "CLAIM" not in public
    assert f"{info.expires_at.astimezone():%Y-%m-%d %H:%M}" in public  # type: ignore[union-attr]  # set above
    assert secret is not None
    assert "http://s/r/r#v=VIEW&c=CLAIM" in secret
    assert "view and claim the run for 7 days" in secret
    assert announcement(info, status, RunSecrets("VIEW", None))[1] is None
