#!/usr/bin/env python3
"""Runs ../shared/bench (or $SHARED/bench): compares shipmark with the other programs on PATH, in one run.

    PATH=DIR_OF_SHIPMARK:~/.cache/shipmark/peers:$PATH scripts/bench.py --plan core --reps 5 --out r.json --md r.md

All arguments go to that program; its README explains them and the figures. `scripts/install-peers.sh` installs the other
programs. This script adds a repository and a tag for the commands that name a destination by both, and the plans `records`,
`gates` and `retention` (bench_records.py, bench_gates.py, bench_retention.py), which print tables of their own.
"""
import datetime
import os
import sys
from pathlib import Path

shared = Path(os.environ.get("SHARED", Path(__file__).resolve().parents[2] / "shared"))
sys.path.insert(0, str(shared / "bench"))
import bench  # noqa: E402  (it is only found with the path above)
import bench_gates  # noqa: E402
import bench_records  # noqa: E402
import bench_retention  # noqa: E402

run = bench.Rig.run


def run_with_repository(rig, template, fields, *args, **kwargs):
    if "dst" in fields:
        repository, tag = fields["dst"].rsplit(":", 1)
        fields = {**fields, "dstrepo": repository, "tag": tag}
    return run(rig, template, fields, *args, **kwargs)


def plan_with_records(running, name):
    if name == "records":
        return bench_records.run(running, bench.Rig, bench.free_port)
    if name == "gates":
        return bench_gates.run(running, datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"))
    if name == "retention":
        return bench_retention.run(running.args.reps)
    return plan(running, name)


plan = bench.plan
bench.Rig.run, bench.plan = run_with_repository, plan_with_records
bench.main()
