"""Plan `retention` of bench.py: plans and deletions of `prune` in a large repository (Markdown on standard output).

    PATH=DIR_OF_SHIPMARK:$PATH scripts/bench.py --plan retention --reps 3

The repository has 10,000 tags over 4,000 images with six referrers each, and a rule condemns 25 of the images: 25 tags and
175 manifests. It is in the memory of a registry of this script, which has the referrers API and answers each request after
20 ms. Where deletions have a pace, the registry allows three a second (180 a minute, as GitHub does), and answers 429 to others.
The script needs no other program but shipmark, and also runs by itself: scripts/bench_retention.py --reps 3.
"""
import argparse
import asyncio
import datetime
import hashlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

IMAGES, REFERRERS, TAGS, CONDEMNED = 4_000, 6, 10_000, 25
DELAY = 0.02  # seconds
PACE = 3  # deletions a second
PAGE = 1_000
REPOSITORY = "team/web"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
BUNDLE = "application/vnd.dev.sigstore.bundle.v0.3+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
EMPTY = "application/vnd.oci.empty.v1+json"


def digest_of(content):
    return "sha256:" + hashlib.sha256(content).hexdigest()


def text_of(value):
    return json.dumps(value, separators=(",", ":")).encode()


def describe(media_type, content):
    return {"mediaType": media_type, "digest": digest_of(content), "size": len(content)}


class Content:
    """Manifests, configs, tags and referrers of the repository."""

    def __init__(self):
        self.manifests, self.blobs, self.tags, self.referrers = {}, {}, {}, {}
        now = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
        roots = [self.add_image(number, (now - datetime.timedelta(days=30, hours=number)).isoformat()) for number in range(IMAGES)]
        for number, root in enumerate(roots):
            is_condemned = number < CONDEMNED
            names = [f"cache-{number}"] if is_condemned else [f"1.{number}.0", f"sha-{number:07x}"]
            self.tags.update({name: root for name in names})
        for number in range(CONDEMNED, CONDEMNED + TAGS - len(self.tags)):
            self.tags[f"pr-{number}"] = roots[number]
        self.tags = dict(sorted(self.tags.items()))

    def add_image(self, number, created):
        config = text_of({"created": created, "architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": []}})
        self.blobs[digest_of(config)] = config
        layers = [describe(LAYER, b"layer %d of %d" % (place, number if place < 5 else -1)) for place in range(10)]
        image = text_of({"schemaVersion": 2, "mediaType": MANIFEST, "config": describe(CONFIG, config), "layers": layers})
        self.manifests[digest_of(image)] = image
        subject, listed = describe(MANIFEST, image), []
        for place in range(REFERRERS):
            content = describe(BUNDLE, b"bundle %d of %d" % (place, number))
            referrer = text_of({"schemaVersion": 2, "mediaType": MANIFEST, "artifactType": BUNDLE, "config": describe(EMPTY, b"{}"),
                                "layers": [content], "subject": subject})
            self.manifests[digest_of(referrer)] = referrer
            listed.append({**describe(MANIFEST, referrer), "artifactType": BUNDLE})
        self.referrers[subject["digest"]] = listed
        return subject["digest"]


class Connection(asyncio.Protocol):
    """Connection of a client, which sends one request after the other."""

    content, requests, allowed_pace = None, {}, 0
    allowed, allowed_since = 0, 0

    def connection_made(self, transport):
        self.transport, self.received = transport, b""

    def data_received(self, data):
        if data[:1] == b"\x16":  # the registry has no TLS
            self.transport.write(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")
            return self.transport.close()
        self.received += data
        while b"\r\n\r\n" in self.received:
            head, self.received = self.received.split(b"\r\n\r\n", 1)
            method, path, _ = head[: head.index(b"\r\n")].decode().split(" ")
            if path.startswith("/v2/"):
                status, media_type, body, headers = self.answer(method, path)
                kind = f"{method} {path.split('/')[4] if path.count('/') > 3 else 'v2'} {status}"
                Connection.requests[kind] = Connection.requests.get(kind, 0) + 1
            else:
                status, media_type, body, headers = self.control(path)
            answer = f"HTTP/1.1 {status} x\r\nContent-Type: {media_type}\r\nContent-Length: {len(body)}\r\n{headers}\r\n".encode()
            answer += b"" if method == "HEAD" else body
            asyncio.get_running_loop().call_later(DELAY, self.transport.write, answer)

    def control(self, path):
        """Sets the pace of deletions, and returns the requests since the last call."""
        Connection.allowed_pace = int(path.rsplit("=", 1)[1])
        counted, Connection.requests = Connection.requests, {}
        return 200, "application/json", json.dumps(counted).encode(), ""

    def answer(self, method, path):
        content = Connection.content
        if not path.startswith(f"/v2/{REPOSITORY}/"):
            return 200, "application/json", b"{}", ""
        kind, name = path.removeprefix(f"/v2/{REPOSITORY}/").split("/", 1)
        if kind == "tags":
            return self.list_tags(name)
        if kind == "referrers":
            listed = [one for one in content.referrers.get(name, []) if one["digest"] in content.manifests]
            return 200, INDEX, text_of({"schemaVersion": 2, "mediaType": INDEX, "manifests": listed}), ""
        if kind == "blobs":
            found = content.blobs.get(name)
            return (404, "text/plain", b"", "") if found is None else (200, "application/octet-stream", found, "")
        digest = content.tags.get(name, name)
        found = content.manifests.get(digest)
        if found is None:
            return 404, "application/json", b'{"errors":[{"code":"MANIFEST_UNKNOWN"}]}', ""
        if method == "DELETE":
            return self.delete(name)
        return 200, MANIFEST, found, f"Docker-Content-Digest: {digest}\r\n"

    def delete(self, name):
        content = Connection.content
        if Connection.allowed_pace:
            second = int(time.monotonic())
            if second != Connection.allowed_since:
                Connection.allowed, Connection.allowed_since = Connection.allowed_pace, second
            if Connection.allowed == 0:
                return 429, "text/plain", b"", "Retry-After: 1\r\n"
            Connection.allowed -= 1
        if content.tags.pop(name, None) is None:
            del content.manifests[name]
            content.tags = {tag: digest for tag, digest in content.tags.items() if digest != name}
        return 202, "text/plain", b"", ""

    def list_tags(self, query):
        names = list(Connection.content.tags)  # sorted
        last = query.rsplit("last=", 1)[1].split("&")[0] if "last=" in query else ""
        rest = [name for name in names if name > last]
        headers = f'Link: </v2/{REPOSITORY}/tags/list?n={PAGE}&last={rest[PAGE - 1]}>; rel="next"\r\n' if len(rest) > PAGE else ""
        return 200, "application/json", text_of({"name": REPOSITORY, "tags": rest[:PAGE]}), headers


async def serve():
    Connection.content = Content()
    server = await asyncio.get_running_loop().create_server(Connection, "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


class Bench:
    def __init__(self, reps):
        self.reps, self.work = reps, Path(tempfile.mkdtemp(prefix="bench-retention-"))
        self.policy = self.work / "policy.yml"
        self.row("job", "s", "CPU s", "peak MiB", "requests", "of them")
        self.row(*["---"] * 6)

    def row(self, *cells):
        print("|", " | ".join(map(str, cells)), "|", flush=True)

    def start(self):
        """Starts a registry with the repository as it is at the beginning."""
        self.server = subprocess.Popen([sys.executable, __file__, "--serve"], stdout=subprocess.PIPE, text=True)
        self.host = f"127.0.0.1:{self.server.stdout.readline().strip()}"
        self.policy.write_text(f"""environments:
  dev: {{repository: {self.host}/{REPOSITORY}}}
retention:
  prune:
    - {{tags: 'cache-*', older-than: 3d}}
    - {{tags: 'pr-*', older-than: 3650d}}
""")

    def stop(self):
        self.server.terminate()
        self.server.wait()

    def requests(self, pace=0):
        with urllib.request.urlopen(f"http://{self.host}/pace={pace}") as answer:
            return json.load(answer)

    def run(self, *arguments, pace=0):
        self.requests(pace)
        command = ["shipmark", "prune", "--policy", str(self.policy), *arguments]
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.work)}
        output = (self.work / "output").open("w+")
        began = time.monotonic()
        process = subprocess.Popen(command, env=environment, cwd=self.work, stdout=output, stderr=output)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.monotonic() - began
        if status:
            output.seek(0)
            raise SystemExit(f"{' '.join(command)}: status {status}\n{output.read()}")
        return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, self.requests()

    def report(self, job, runs):
        wall, cpu, peak = (statistics.median(run[at] for run in runs) for at in range(3))
        counted = runs[-1][3]
        kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(counted.items()))
        self.row(job, f"{wall:.2f}", f"{cpu:.2f}", f"{peak:.0f}", sum(counted.values()), kinds)

    def measure(self):
        self.start()
        plan, cache = f"--plan-file={self.work}/plan.json", f"--cache={self.work}/cache"
        self.report("plan, cold", [self.run(plan) for _ in range(self.reps)])
        cold = []
        for _ in range(self.reps):
            shutil.rmtree(self.work / "cache", ignore_errors=True)
            cold.append(self.run(plan, cache))
        self.report("plan, cold, filling a cache", cold)
        self.report("plan, warm cache", [self.run(plan, cache) for _ in range(self.reps)])
        for job, pace in (("200 deletions, warm cache", 0), ("200 deletions at 180 a minute, warm cache", PACE)):
            self.run(plan, cache)
            self.report(job, [self.run(f"--apply={self.work}/plan.json", cache, pace=pace)])
            self.stop()
            self.start()
        self.stop()


def run(reps):
    """Runs the plan."""
    bench = Bench(reps)
    try:
        bench.measure()
    finally:
        bench.stop()
        shutil.rmtree(bench.work)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reps", type=int, default=3)
    parser.add_argument("--serve", action="store_true", help="serve the repository, and print the port")
    given = parser.parse_args()
    asyncio.run(serve()) if given.serve else run(given.reps)
