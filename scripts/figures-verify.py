#!/usr/bin/env python3
"""Compares verifying with cosign, on one machine in one run: wall time, CPU, peak memory and registry requests.

  figures-verify.py SHIPMARK [RUNS]     SHIPMARK: release binary to measure

Needs the servers of sigstore-stack with their addresses in the environment, and cosign where scripts/interop.sh looks for it.
cosign signs; both verify, with a given trusted root. Times are measured without the counting proxy. Prints Markdown.
"""
import collections
import importlib.util
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
spec = importlib.util.spec_from_file_location("signing", HERE / "figures-signing.py")
signing = importlib.util.module_from_spec(spec)
spec.loader.exec_module(signing)

ROOT = ["--trusted-root", os.environ["SIGSTACK_TRUSTED_ROOT"]]
WHO = ["--certificate-identity", os.environ["SIGSTACK_IDENTITY"], "--certificate-oidc-issuer", os.environ["SIGSTACK_OIDC_ISSUER"]]
OLD = ["--new-bundle-format=false", "--use-signing-config=false"]
LOG = ["--rekor-url", os.environ["SIGSTACK_REKOR1_URL"]]
SERVICES = [*ROOT, "--signing-config", os.environ["SIGSTACK_SIGNING_CONFIG"]]
# How cosign signs, how it verifies, how shipmark does.
JOBS = {
    "keyless, bundle": (SERVICES, [*ROOT, *WHO], [*ROOT, *WHO]),
    "keyless, legacy": ([*OLD, *ROOT, *LOG, "--fulcio-url", os.environ["SIGSTACK_FULCIO_URL"]],
                        ["--new-bundle-format=false", *ROOT, *WHO], [*ROOT, *WHO]),
    "key, bundle, no log": (["--key", "cosign.key", "--use-signing-config=false", "--tlog-upload=false"],
                            ["--key", "cosign.pub", "--insecure-ignore-tlog"], ["--key", "cosign.pub"]),
}


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    shipmark, runs = str(pathlib.Path(sys.argv[1]).resolve()), int(sys.argv[2]) if len(sys.argv) == 3 else 7
    os.environ["PATH"] += "".join(f":{place}" for place in signing.PLACES)
    source = f"oci-archive:{signing.ROOT / 'examples/web.oci.tar'}"
    registries = {"registry with the referrers API (refregistry)": "SIGSTACK_REFREGISTRY",
                  "registry without (distribution)": "SIGSTACK_REGISTRY"}
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        env = {**os.environ, "HOME": folder, "COSIGN_PASSWORD": "not a secret", "SIGSTORE_NO_CACHE": "1"}

        def must(*command):
            subprocess.run(command, env=env, check=True, capture_output=True)

        must("cosign", "generate-key-pair")
        for name, variable in registries.items():
            address = os.environ[variable]
            print(f"\n{name}, median of {runs}\n\n| | | wall ms | CPU ms | peak MiB | requests |\n|---|---|---|---|---|---|")
            for at, (job, (how, theirs, ours)) in enumerate(JOBS.items()):
                place = f"{address}/figures{os.getpid()}/{at}"
                must(shipmark, "push", "--source", source, "--images", place, "--tags", "it")
                must("cosign", "sign", "--yes", *how, f"{place}:it")
                commands = {
                    "shipmark": lambda image: [shipmark, "verify", "--source", image, *ours],
                    "cosign": lambda image: ["cosign", "verify", *theirs, image],
                }
                for who, command in commands.items():
                    taken = [signing.measure(command(f"{place}:it"), env) for _ in range(runs)]
                    proxy = signing.proxy(address)
                    via = "127.0.0.1:%d" % proxy.server_address[1]
                    signing.measure(command(f"{place}:it".replace(address, via)), env)
                    wall, cpu, peak = (statistics.median(column) for column in zip(*taken))
                    seen = ", ".join(f"{count} {line}" for line, count in collections.Counter(proxy.seen).items())
                    print(f"| {job} | {who} | {wall * 1000:.0f} | {cpu * 1000:.0f} | {peak:.0f} | {len(proxy.seen)} |", flush=True)
                    print(f"{job}, {who}: {seen}", file=sys.stderr)
                    proxy.shutdown()


main()
