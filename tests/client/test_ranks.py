from __future__ import annotations

from pathlib import Path

import pytest

from anonrun.client.ranks import RANK_VARIABLES, rank_of
from support.script import run_script


@pytest.mark.parametrize(
    ("environ", "rank"),
    [
        pytest.param({}, 0, id="alone"),
        pytest.param({"RANK": "3"}, 3, id="torchrun"),
        pytest.param({"RANK": "0", "LOCAL_RANK": "0", "SLURM_PROCID": "1"}, 0, id="torchrun below srun, other order"),
        pytest.param({"RANK": "8", "LOCAL_RANK": "0", "NODE_RANK": "1"}, 8, id="first of the second machine"),
        pytest.param({"LOCAL_RANK": "1", "SLURM_PROCID": "0"}, 1, id="Lightning's child below an interactive srun"),
        pytest.param({"LOCAL_RANK": "0", "NODE_RANK": "1"}, 1, id="Lightning's second machine"),
        pytest.param({"SLURM_PROCID": "2"}, 2, id="srun"),
        pytest.param({"OMPI_COMM_WORLD_RANK": "1"}, 1, id="mpirun"),
        pytest.param({"RANK": "", "LOCAL_RANK": "2"}, 2, id="empty"),
        pytest.param({"RANK": "first", "SLURM_PROCID": "-1"}, 0, id="no numbers"),
    ],
)
def test_the_rank_is_that_among_all_processes(environ: dict[str, str], rank: int) -> None:
    assert rank_of(environ) == rank


def test_every_launchers_other_ranks_are_silent_and_leave_nothing(home: Path) -> None:
    script = f"""if True:
        import os, anonrun
        for name in {RANK_VARIABLES!r}:
            os.environ[name] = "1"
            run = anonrun.init(project="p", config={{"lr": 1}})
            assert run.disabled, name
            run.log({{"loss": 1}}); anonrun.log({{"loss": 2}}); run.config["a"] = 1; run.log_artifact("f")
            run.finish()
            del os.environ[name]
    """
    done = run_script(script, home)
    assert (done.stdout, done.stderr) == ("", "")
    assert list(home.iterdir()) == []
