"""Plan `gates` of bench.py: a fleet of services that is promoted again and unchanged, with gates against none (Markdown on
standard output).

    SERVICES=100 scripts/bench.py --plan gates --reps 5

Each service has its own image and its own scan reports. Both fleets are promoted once before they are measured. The goal is
1.5 times the time without gates.
"""
import json
import os
import statistics

SHAPE = "20ms"
GATES = """
    gates:
      scan: {fail-on: high, max-age: 24h}
      image: {max-size: 10GiB}
      freeze: [{from: 2020-01-01T00:00, to: 2020-01-02T00:00, zone: UTC}]"""


def configs(layout, digest):
    """Returns the digests of the configs at and below a manifest of an image layout."""
    manifest = json.loads((layout / "blobs" / digest.replace(":", "/")).read_text())
    if "config" in manifest:
        return [manifest["config"]["digest"]]
    children = [entry for entry in manifest["manifests"] if entry.get("platform", {}).get("os") != "unknown"]
    return [config for child in children for config in configs(layout, child["digest"])]


def report(config, now):
    return {"SchemaVersion": 2, "CreatedAt": now, "ArtifactName": "bench", "ArtifactType": "container_image",
            "Metadata": {"ImageID": config}, "Results": [{"Target": "bench", "Class": "os-pkgs", "Type": "debian"}]}


class Fleet:
    """Services of a policy, in repositories of their own."""

    def __init__(self, bench, rig, now, gates):
        self.rig, self.has_gates = rig, bool(gates)
        self.names = [f"F{number:03}" for number in range(int(os.environ.get("SERVICES", "100")))]
        self.place = f"{rig.fresh()}"
        services = [name.lower() for name in self.names]
        self.policy = rig.work / f"gates-{self.place}.yml"
        self.policy.write_text(
            f"environments:\n  src:\n    repository: '{rig.src}/fleet/{{service}}'\n  dst:\n"
            f"    repository: '{rig.dst}/{self.place}/{{service}}'\n    from: src\n    tags: v1{gates}\n"
            f"services: [{', '.join(services)}]\n")
        self.reports = []
        for name in self.names:
            facts = bench.image(rig, name, "src", f"fleet/{name.lower()}")
            for number, config in enumerate(configs(bench.images_dir / name, facts["root"]["digest"])):
                path = rig.work / f"{name}-{number}.json"
                path.write_text(json.dumps(report(config, now)))
                self.reports.append(path)

    def command(self):
        given = "".join(f" --scan-report {path}" for path in self.reports) if self.has_gates else ""
        return (f"shipmark promote --policy {self.policy} --environment dst --source v1 --sign off"
                f" --referrers none{given}")

    def promote(self, shape):
        row = self.rig.run(self.command(), {}, shape)
        if row["rc"]:
            raise SystemExit(f"shipmark promote: exit status {row['rc']}: {row['error']}")
        return row


def measure(fleet, reps):
    """Returns seconds, CPU seconds, peak MiB and requests of a promotion that changes nothing."""
    fleet.promote("0ms")
    rows = [fleet.promote(SHAPE) for _ in range(reps)]
    wall, cpu, requests = (statistics.median(row[key] for row in rows) for key in ("wall", "cpu", "total_requests"))
    return wall, cpu, max(row["rss_kib"] for row in rows) / 1024, requests


def run(bench, now):
    """Runs the plan."""
    print("| registry | services | wall s | CPU s | peak MiB | requests |\n|---|---|---|---|---|---|", flush=True)
    rig, results = bench.rig("distribution", bench.args.proto), []
    for name, gates in (("without gates", ""), ("with gates", GATES)):
        fleet = Fleet(bench, rig, now, gates)
        wall, cpu, peak, requests = measure(fleet, bench.args.reps)
        results.append(wall)
        print(f"| distribution | {len(fleet.names)} {name} | {wall:.3f} | {cpu:.3f} | {peak:.0f} | {requests:.0f} |", flush=True)
    print(f"\nwith gates: {results[1] / results[0]:.2f} times (goal: 1.5)", flush=True)
