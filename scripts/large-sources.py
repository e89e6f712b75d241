#!/usr/bin/env python3
"""Measures the memory for a 2 GiB layer from a docker-archive and from a layout.

    scripts/large-sources.py BINARY [MIB]

BINARY is the program. The temporary files take about four times the layer: on a
small disk, give a smaller size in MIB. Fails if the program needs more than 32 MiB.
"""

import hashlib
import io
import json
import os
import subprocess
import sys
import tarfile
import tempfile
import time

LIMIT = 32 << 10  # KiB
MIB = 1 << 20


class Layer:
    """Half of it noise, half of it zeroes, which a compressor has to work for."""

    def __init__(self, mib):
        self.left, self.hash = mib, hashlib.sha256()

    def read(self, size=-1):
        if not self.left:
            return b""
        self.left -= 1
        block = os.urandom(MIB // 2) + bytes(MIB // 2)
        self.hash.update(block)
        return block


def spool(path, mib):
    layer = Layer(mib)
    with open(path, "wb") as file:
        while block := layer.read():
            file.write(block)
    return layer.hash.hexdigest()


def save(folder, mib):
    """A docker-archive of one image with one layer."""
    layer = os.path.join(folder, "layer")
    diff_id = spool(layer, mib)
    config = json.dumps(
        {"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": [f"sha256:{diff_id}"]}}
    ).encode()
    name = hashlib.sha256(config).hexdigest() + ".json"
    listed = json.dumps([{"Config": name, "RepoTags": ["large:1"], "Layers": ["layer.tar"]}]).encode()
    archive = os.path.join(folder, "image.tar")
    with tarfile.open(archive, "w") as tar:
        for entry, content in [(name, config), ("manifest.json", listed)]:
            info = tarfile.TarInfo(entry)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
        tar.add(layer, "layer.tar")
    os.remove(layer)
    return archive


def peak(binary, *arguments):
    """Runs it; its memory in KiB and its time in seconds."""
    began = time.monotonic()
    process = subprocess.Popen([binary, *arguments], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"{arguments} failed")
    return usage.ru_maxrss, time.monotonic() - began


def main():
    binary = os.path.abspath(sys.argv[1])
    mib = int(sys.argv[2]) if len(sys.argv) > 2 else 2048
    with tempfile.TemporaryDirectory() as folder:
        archive = save(folder, mib)
        first, second = os.path.join(folder, "first"), os.path.join(folder, "second")
        runs = {
            "docker-archive to a layout": ("push", "--source", f"docker-archive:{archive}", "--images", f"oci:{first}"),
            "a layout to a layout": ("push", "--source", f"oci:{first}:it", "--images", f"oci:{second}"),
        }
        worst = 0
        for name, arguments in runs.items():
            memory, seconds = peak(binary, *arguments, "--tags", "it", "--ref", "refs/heads/main")
            worst = max(worst, memory)
            print(f"{name}, a layer of {mib} MiB: {memory / 1024:.1f} MiB at most, {seconds:.0f} s")
    if worst > LIMIT:
        sys.exit(f"more than {LIMIT >> 10} MiB")


main()
