#!/usr/bin/env python3
"""Measures the figures of docs/benchmarks.md: size, start-up, and wall time, CPU and peak memory of copying 1 GiB, with crane and skopeo.

  figures.py [SHIPMARK]     SHIPMARK: binary to measure; default: that of scripts/static-build.sh

Needs registry, crane and skopeo on PATH (scripts/interop.sh says where from) and 5 GiB in /dev/shm. The registries are
real ones on loopback and stop at the end. Prints Markdown.
"""

import gzip
import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

GIB = 1 << 30
ROOT = pathlib.Path(__file__).resolve().parent.parent


def make_layout(folder, size):
    """An image layout of one image with one incompressible layer."""
    blobs = folder / "blobs/sha256"
    blobs.mkdir(parents=True)

    def keep(data, media_type):
        digest = hashlib.sha256(data).hexdigest()
        (blobs / digest).write_bytes(data)
        return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": len(data)}

    oci = "application/vnd.oci.image"
    layer = folder / "layer"
    hasher = hashlib.sha256()
    with layer.open("wb") as out:
        for _ in range(size >> 20):
            chunk = os.urandom(1 << 20)
            hasher.update(chunk)
            out.write(chunk)
    digest = hasher.hexdigest()
    layer.rename(blobs / digest)
    layer = {"mediaType": f"{oci}.layer.v1.tar", "digest": f"sha256:{digest}", "size": size}
    config = {"architecture": "amd64", "os": "linux", "config": {}, "rootfs": {"type": "layers", "diff_ids": [layer["digest"]]}}
    config = keep(json.dumps(config).encode(), f"{oci}.config.v1+json")
    manifest = {"schemaVersion": 2, "mediaType": f"{oci}.manifest.v1+json", "config": config, "layers": [layer]}
    manifest = keep(json.dumps(manifest).encode(), f"{oci}.manifest.v1+json")
    manifest["annotations"] = {"org.opencontainers.image.ref.name": "it"}
    (folder / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [manifest]}))
    (folder / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
    return manifest["digest"]


def start_registry(folder):
    folder.mkdir()
    (folder / "config.yml").write_text(
        'version: 0.1\nlog: {level: info}\nhttp: {addr: "127.0.0.1:0"}\n'
        f"storage: {{filesystem: {{rootdirectory: {folder / 'storage'}}}}}\n"
    )
    log = (folder / "log").open("w+b")
    environment = {**os.environ, "OTEL_TRACES_EXPORTER": "none"}
    server = subprocess.Popen(["registry", "serve", folder / "config.yml"], stdout=log, stderr=log, env=environment)
    for _ in range(100):
        found = re.search(rb"listening on (127\.0\.0\.1:\d+)", (folder / "log").read_bytes())
        if found:
            return server, found.group(1).decode()
        time.sleep(0.1)
    sys.exit("the registry did not come up")


def high_water(pid):
    """The peak resident MiB so far of what the process is running now, not of what started it."""
    try:
        status = pathlib.Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    return int(found.group(1)) / 1024 if found else 0


def measure(command):
    """Wall seconds, CPU seconds and peak MiB of a command; ends the script where it fails."""
    with tempfile.TemporaryFile() as output:
        began = time.monotonic()
        child = subprocess.Popen(command, stdout=output, stderr=output)
        peak, ended = 0, 0
        while not ended:
            peak = max(peak, high_water(child.pid))
            time.sleep(0.002)
            ended, status, usage = os.wait4(child.pid, os.WNOHANG)
        wall = time.monotonic() - began
        if status:
            output.seek(0)
            sys.exit(f"{command}: {output.read().decode(errors='replace')}")
    return wall, usage.ru_utime + usage.ru_stime, peak


def start_up(*command):
    took = []
    for _ in range(50):
        began = time.monotonic()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        took.append(time.monotonic() - began)
    return sorted(took)[25] * 1000


def main():
    if len(sys.argv) > 1:
        binary = sys.argv[1]
    else:
        binary = subprocess.run([ROOT / "scripts/static-build.sh"], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
        binary = str(ROOT / binary)
    size = os.path.getsize(binary)
    print(f"Binary {size / 1e6:.1f} MB, {len(gzip.compress(pathlib.Path(binary).read_bytes(), 9)) / 1e6:.1f} MB gzipped;", end=" ")
    rules = ["type=semver,pattern={{version}}", "type=semver,pattern={{major}}.{{minor}}", "type=sha"]
    tags = [binary, "tags", "--images=a/b", "--ref=refs/tags/v1.4.0", *(f"--tags={rule}" for rule in rules)]
    print(f"`--version` {start_up(binary, '--version'):.1f} ms, `tags` with 3 rules {start_up(*tags):.1f} ms.\n")
    work = pathlib.Path(tempfile.mkdtemp(dir="/dev/shm"))
    servers = []
    try:
        digest = make_layout(work / "layout", GIB)
        first, from_host = start_registry(work / "first")
        servers.append(first)
        second, to_host = start_registry(work / "second")
        servers.append(second)
        layout, copied = f"oci:{work / 'layout'}", f"{from_host}/shipmark/it"
        rows = [
            ("push 1 GiB from a layout", "shipmark", [binary, "push", "--source", layout, "--images", copied, "--tags", "it"]),
            ("", "crane", ["crane", "push", str(work / "layout"), f"{from_host}/crane/it:it"]),
            ("", "skopeo", ["skopeo", "copy", "--quiet", "--dest-tls-verify=false", f"{layout}:it", f"docker://{from_host}/skopeo/it:it"]),
            ("copy 1 GiB between registries", "shipmark", [binary, "promote", "--source", f"{copied}:it", "--images", f"{to_host}/shipmark/it", "--tags", "it"]),
            ("", "crane", ["crane", "copy", f"{from_host}/crane/it:it", f"{to_host}/crane/it:it"]),
            ("", "skopeo", ["skopeo", "copy", "--quiet", "--src-tls-verify=false", "--dest-tls-verify=false", f"docker://{from_host}/skopeo/it:it", f"docker://{to_host}/skopeo/it:it"]),
        ]
        print("| job | program | wall s | CPU s | peak MiB |\n|---|---|---|---|---|")
        for job, program, command in rows:
            wall, cpu, peak = measure(command)
            print(f"| {job} | {program} | {wall:.2f} | {cpu:.2f} | {peak:.0f} |")
        found = subprocess.run(["crane", "digest", f"{to_host}/shipmark/it:it"], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
        assert found == digest, f"{found} is not {digest}"
    finally:
        for server in servers:
            server.terminate()
            server.wait()
        shutil.rmtree(work)


main()
