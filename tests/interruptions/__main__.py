"""`python -m tests.interruptions`: lets each operation of a deployment go wrong in each way, and reports N of N.

`--kind` and `--stage` choose some; what is seen is kept in `--folder`.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from tests.interruptions.faults import HALF_DONE, KINDS
from tests.interruptions.listing import said_to_be_left
from tests.interruptions.runs import Deployments
from tests.interruptions.stages import STAGES


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.interruptions", description=__doc__)
    parser.add_argument("--kind", choices=KINDS, action="append", help="one kind of fault; may be repeated")
    parser.add_argument("--stage", choices=STAGES, action="append", help="one stage; may be repeated")
    parser.add_argument("--folder", type=Path, help="where states and reports are kept")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = chosen.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        deployments, failed = Deployments(folder), 0
        for stage in chosen.stage or STAGES:
            for kind in chosen.kind or KINDS:
                failed += report(deployments, stage, kind)
    return 1 if failed else 0


def report(deployments: Deployments, stage: str, kind: str) -> int:
    """Print what one kind of fault does to a stage; the number of what is wrong."""
    begun, clean = time.monotonic(), deployments.clean(stage)
    run = deployments.interrupted(stage, kind)
    wanted = len(clean["of_several_calls" if kind == HALF_DONE else "operations"])
    resumed = len(set(run.struck) - set(run.stuck))
    print(f"{stage}, {kind}: {resumed} of {wanted} operations resumed ({time.monotonic() - begun:.0f} s)", flush=True)
    wrong = [f"after {operation}: {said}" for operation, said in run.stuck.items()] + run.differences(clean)
    for line in wrong:
        print(f"  {line}", flush=True)
    for pulumi_type, name in said_to_be_left(run.lines):
        print(f"  said to be left, perhaps: {pulumi_type} '{name}'", flush=True)
    return len(wrong) + wanted - resumed


if __name__ == "__main__":
    sys.exit(main())
