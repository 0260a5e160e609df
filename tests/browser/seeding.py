"""Runs and accounts, made the way a client makes them: over HTTP, with secrets that the client chooses."""

from __future__ import annotations

import math
import os
import time
from dataclasses import dataclass
from typing import Any

import requests

from anonrun.core import wire
from anonrun.core.ids import new_run_id
from anonrun.core.tokens import TokenKind, mint, token_hash

_TIMEOUT_S = 10
CONFIG = {"lr": 1e-3, "optimizer": {"name": "adam", "betas": [0.9, 0.999]}, "hidden": [64, 64]}


def hash_of(token: str) -> str:
    return token_hash(token).hex()


@dataclass(frozen=True, slots=True)
class Owner:
    """An anonymous account: its server and its key."""

    url: str
    key: str


@dataclass(frozen=True, slots=True)
class Seeded:
    """A run, and the secrets that its client made for it."""

    url: str
    run_id: str
    name: str
    key: str
    write: str
    view: str
    claim: str

    @property
    def page(self) -> str:
        """Its address, without a secret."""
        return f"{self.url}/r/{self.run_id}"

    @property
    def private_link(self) -> str:
        return f"{self.page}#v={self.view}&c={self.claim}"

    @property
    def claim_link(self) -> str:
        return f"{self.url}/claim#c={self.claim}"

    @property
    def secrets(self) -> tuple[str, ...]:
        return (self.key, self.write, self.view, self.claim)


def ask(method: str, url: str, token: str | None = None, **more: Any) -> requests.Response:
    """Send a request and insist on a good answer."""
    headers = more.pop("headers", {}) | ({"Authorization": f"Bearer {token}"} if token else {})
    answer = requests.request(method, url, headers=headers, timeout=_TIMEOUT_S, **more)
    if not answer.ok:
        raise AssertionError(f"{method} {url}: {answer.status_code} {answer.text[:500]}")
    return answer


def anonymous_account(url: str) -> Owner:
    key = mint(TokenKind.API_KEY)
    ask("POST", f"{url}/api/v1/accounts/anonymous", json={"key_hash": hash_of(key)})
    return Owner(url, key)


def seed_run(owner: Owner, name: str = "digits-mlp", *, rows: int = 120, state: str | None = "finished") -> Seeded:
    """Make a run with `rows` rows of six metrics; `state` None leaves it running."""
    write, view, claim = mint(TokenKind.WRITE), mint(TokenKind.VIEW), mint(TokenKind.CLAIM)
    run_id = str(new_run_id(time.time_ns() // 1_000_000, os.urandom(10)))
    ask(
        "POST",
        f"{owner.url}/api/v1/runs",
        owner.key,
        json={
            "run_id": run_id,
            "tokens": {"write": hash_of(write), "view": hash_of(view), "claim": hash_of(claim)},
            "project": "digits",
            "name": name,
            "config": CONFIG,
            "tags": ["baseline"],
        },
    )
    run = Seeded(owner.url, run_id, name, owner.key, write, view, claim)
    if rows:
        log_rows(run, range(rows))
    if state:
        ask("PATCH", f"{owner.url}/api/v1/runs/{run_id}", write, json={"state": state, "exit_code": 0})
    return run


def log_rows(run: Seeded, steps: range) -> None:
    """Log what a training would at these steps; the first of them is also its place in the writer's stream."""
    fade = [math.exp(-step / 40) for step in steps]
    wobble = [math.sin(step * 12.9898) * 0.02 for step in steps]
    columns = {
        "train/loss": [0.2 + 2 * f + w for f, w in zip(fade, wobble, strict=True)],
        "val/loss": [0.3 + 1.9 * f - w for f, w in zip(fade, wobble, strict=True)],
        "train/accuracy": [0.97 - 0.9 * f for f in fade],
        "val/accuracy": [0.95 - 0.9 * f for f in fade],
        "learning_rate": [1e-3 * (1 - step / 500) for step in steps],
        "system/cpu_percent": [50 + 900 * w for w in wobble],
    }
    began_us = time.time_ns() // 1_000 - 1_000_000 * len(steps)
    times = [began_us + 1_000_000 * i for i in range(len(steps))]
    frame = wire.Frame.of(list(columns), list(steps), times, list(columns.values()))
    segment = wire.encode([frame], writer=1, seq=steps[0])
    ask(
        "POST",
        f"{run.url}/api/v1/runs/{run.run_id}/segments",
        run.write,
        data=segment,
        headers={"Content-Type": wire.CONTENT_TYPE},
    )
