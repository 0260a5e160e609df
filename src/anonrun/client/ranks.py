"""Which of many processes of one training this is, by what its launcher put into the environment. Pure.

`RANK` (torchrun, and whatever follows it) is the number among all processes and decides where it is there: the
scheduler around it may number its own tasks otherwise. Without it the highest of the other numbers counts, since each
is 0 for the first process and they may disagree: Lightning's own children below an interactive `srun` all have
`SLURM_PROCID=0` and tell themselves apart by `LOCAL_RANK`; the first process of the second machine has `LOCAL_RANK=0`
and `NODE_RANK=1`.
"""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["RANK_VARIABLES", "rank_of"]

_DECIDES = "RANK"
RANK_VARIABLES = (
    _DECIDES,
    "LOCAL_RANK",
    "NODE_RANK",
    "GROUP_RANK",
    "SLURM_PROCID",
    "OMPI_COMM_WORLD_RANK",
    "PMIX_RANK",
    "PMI_RANK",
    "MV2_COMM_WORLD_RANK",
    "JSM_NAMESPACE_RANK",
)
"""Variables of torchrun, Lightning, Slurm, Open MPI, PMIx, MPICH and Intel MPI, MVAPICH, and jsrun."""


def rank_of(environ: Mapping[str, str]) -> int:
    """Return this process's number, 0 for the first and for one that is alone.

    Example:
        >>> rank_of({"RANK": "0", "SLURM_PROCID": "1"}), rank_of({"LOCAL_RANK": "0", "NODE_RANK": "1"})
        (0, 1)
    """
    ranks = {name: int(environ[name]) for name in RANK_VARIABLES if environ.get(name, "").isdecimal()}
    return ranks.get(_DECIDES, max(ranks.values(), default=0))
