#!/usr/bin/env python3
"""Measures batches: wall time, CPU and peak memory by the number of services, with one real registry.

  figures-fleet.py SHIPMARK [SERVICES...]     SHIPMARK: the binary to measure; default: 10, 100 and 1000 services

Needs distribution's `registry` on PATH or where scripts/interop.sh looks for it. The example image is in dev/SERVICE. It is
promoted to prod/SERVICE (mounted, since it is one registry), and then again, when all tags are correct. Prints Markdown.
"""
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache"))
PLACES = [CACHE / "shipmark/peers", CACHE / "runner-tools/bin"]


def serve(folder):
    """Starts a registry that keeps everything in `folder`, and returns it with its address."""
    config, log = folder / "config.yml", folder / "log"
    config.write_text('version: 0.1\nlog: {level: info, accesslog: {disabled: true}}\nhttp: {addr: "127.0.0.1:0"}\n'
                      f'storage: {{filesystem: {{rootdirectory: "{folder}/storage"}}, cache: {{blobdescriptor: inmemory}}}}\n')
    with open(log, "w") as out:
        server = subprocess.Popen(["registry", "serve", config], stdout=out, stderr=out, env={**os.environ, "OTEL_TRACES_EXPORTER": "none"})
    for _ in range(100):
        if found := re.search(r"listening on (127\.0\.0\.1:\d+)", log.read_text()):
            return server, found[1]
        time.sleep(0.1)
    server.terminate()
    sys.exit(f"the registry did not come up:\n{log.read_text()}")


def run(command, folder):
    """Runs a command; returns wall and CPU in seconds and its peak memory in MiB."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder)}
    log = folder / "shipmark.log"
    with open(log, "w") as out:
        start = time.monotonic()
        process = subprocess.Popen(command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.monotonic() - start
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"{command}: {process.returncode}\n{log.read_text()[-2000:]}")
    return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    shipmark = str(pathlib.Path(sys.argv[1]).resolve())
    counts = [int(count) for count in sys.argv[2:]] or [10, 100, 1000]
    os.environ["PATH"] += "".join(f":{place}" for place in PLACES)
    with tempfile.TemporaryDirectory(dir="/dev/shm" if os.path.isdir("/dev/shm") else None) as work:
        folder = pathlib.Path(work)
        server, address = serve(folder)
        try:
            print("| services | run | wall s | CPU s | peak MiB |\n|---|---|---|---|---|")
            for count in counts:
                names = [f"s{count}-{at:04}" for at in range(count)]
                example = f"oci-archive:{ROOT}/examples/web.oci.tar"
                places = [f"--images={address}/dev/{name}" for name in names]
                for at in range(0, count, 50):
                    run([shipmark, "push", "--source", example, "--tags=v1", *places[at:at + 50]], folder)
                (folder / "policy.yml").write_text(
                    f"environments:\n  dev: {{repository: '{address}/dev/{{service}}'}}\n"
                    f"  prod: {{repository: '{address}/prod/{{service}}', from: dev, tags: v1}}\nservices: [{', '.join(names)}]\n")
                promote = [shipmark, "promote", "--policy=policy.yml", "--environment=prod", "--source=v1"]
                for what in ("released", "right already"):
                    wall, cpu, peak = run(promote, folder)
                    print(f"| {count} | {what} | {wall:.2f} | {cpu:.2f} | {peak:.0f} |", flush=True)
        finally:
            server.terminate()
            server.wait()


main()
