#!/usr/bin/env python3
"""Runs ../shared/bench (or $SHARED/bench): compares shipmark with the other programs on PATH, in one run.

    PATH=DIR_OF_SHIPMARK:~/.cache/shipmark/peers:$PATH scripts/bench.py --plan core --reps 5 --out r.json --md r.md

All arguments go to that program; its README explains them and the figures. `scripts/install-peers.sh` installs the other
programs. This script adds a repository and a tag for the commands that name a destination by both.
"""
import os
import sys
from pathlib import Path

shared = Path(os.environ.get("SHARED", Path(__file__).resolve().parents[2] / "shared"))
sys.path.insert(0, str(shared / "bench"))
import bench  # noqa: E402  (it is only found with the path above)

run = bench.Rig.run


def run_with_repository(rig, template, fields, *args, **kwargs):
    if "dst" in fields:
        repository, tag = fields["dst"].rsplit(":", 1)
        fields = {**fields, "dstrepo": repository, "tag": tag}
    return run(rig, template, fields, *args, **kwargs)


bench.Rig.run = run_with_repository
bench.main()
