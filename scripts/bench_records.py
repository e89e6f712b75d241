"""Plan `records` of bench.py: what records of releases cost, at a round trip of 20 ms (Markdown on standard output).

Promotions and rollbacks are prepared at 0 ms, in repositories of their own for each repetition. The entries of long
timelines are written to the registry directly, as docs/formats.md says. `refregistry` has the referrers API, distribution
has not; the front `unsorted` lists the tags of distribution in another order. Only shipmark is measured.
"""
import base64
import datetime
import hashlib
import http.client
import http.server
import json
import re
import statistics
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

LENGTH, PAST = 10_000, 32
PACE = datetime.timedelta(minutes=30)  # the newest entry is as old
BEGIN = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0) - LENGTH * PACE
SHAPE = "20ms"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
STATEMENT = "application/vnd.in-toto+json"
TIMELINE = "long/prod"


class Front(http.server.BaseHTTPRequestHandler):
    """Passes requests on to a registry; with `shuffled`, lists tags in another order, in pages."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    lists = {}

    def pass_on(self):
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        if self.shuffled and self.command == "GET" and "/tags/list" in self.path:
            return self.list_tags()
        status, headers, content = self.call(self.command, self.path, body, dict(self.headers))
        self.send_response(status)
        for name, value in headers:
            if name.lower() not in ("transfer-encoding", "connection", "content-length", "date", "server"):
                self.send_header(name, value)
        known = [value for name, value in headers if name.lower() == "content-length"]
        self.send_header("Content-Length", known[0] if self.command == "HEAD" and known else str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_HEAD = do_PUT = do_POST = do_PATCH = do_DELETE = pass_on

    def call(self, method, path, body=b"", headers=()):
        if not hasattr(self, "upstream"):
            self.upstream = http.client.HTTPConnection(*self.address)
        self.upstream.request(method, path, body or None, dict(headers))
        answer = self.upstream.getresponse()
        return answer.status, answer.getheaders(), answer.read()

    def list_tags(self):
        repository = self.path.split("/v2/", 1)[1].split("/tags/list", 1)[0]
        if repository not in self.lists:
            tags, last = [], ""
            while page := json.loads(self.call("GET", f"/v2/{repository}/tags/list?n=1000{last}")[2]).get("tags"):
                tags += page
                last = f"&last={page[-1]}"
            self.lists[repository] = sorted(tags, key=lambda tag: hashlib.sha256(tag.encode()).digest())
        tags = self.lists[repository]
        asked = re.search(r"last=([^&]*)", self.path)
        begin = tags.index(asked[1]) + 1 if asked and asked[1] in tags else 0
        page = tags[begin : begin + 1000]
        content = json.dumps({"name": repository, "tags": page}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        if begin + 1000 < len(tags):
            self.send_header("Link", f'</v2/{repository}/tags/list?n=1000&last={page[-1]}>; rel="next"')
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        pass


def serve_front(port, host, upstream, shuffled):
    Front.address, Front.shuffled = (host, int(upstream)), shuffled == "shuffled"
    http.server.ThreadingHTTPServer(("127.0.0.1", int(port)), Front).serve_forever()


def add_registries(rig_class, free_port):
    """Has a rig start the registries of this plan too."""
    start = rig_class.start_registry

    def start_front(rig, port, upstream, order):
        command = [sys.executable, __file__, str(port), *upstream, order]
        rig.procs.append(subprocess.Popen(command))

    def start_registry(rig, name, port):
        if rig.kind == "refregistry":
            upstream = str(port)
            while upstream == str(port):  # it takes any free port
                registry = subprocess.Popen(["refregistry"], stdout=subprocess.PIPE, text=True)
                rig.procs.append(registry)
                host, upstream = registry.stdout.readline().split()[-1].rsplit(":", 1)
            start_front(rig, port, (host, upstream), "as it is")
        elif rig.kind == "unsorted":
            behind = free_port()
            rig.kind = "distribution"
            start(rig, name, behind)
            rig.kind = "unsorted"
            start_front(rig, port, ("127.0.0.1", str(behind)), "shuffled")
        else:
            start(rig, name, port)

    rig_class.start_registry = start_registry


class Timeline:
    """Writes the entries of a long timeline of the environment `prod`, each with its past."""

    def __init__(self, rig):
        self.rig, self.destination, self.past = rig, f"{rig.dst}/{TIMELINE}", []
        self.local = threading.local()

    def registry(self):
        if not hasattr(self.local, "registry"):
            direct = self.rig.direct["dst"]
            self.local.registry = type(direct)(f"http://{direct.host}")
        return self.local.registry

    def put_blob(self, content):
        digest = hashlib.sha256(content).hexdigest()
        path = self.rig.work / f"blob-{digest}"
        path.write_bytes(content)
        self.registry().put_blob(TIMELINE, path, f"sha256:{digest}")
        path.unlink()
        return {"digest": f"sha256:{digest}", "size": len(content)}

    def entry(self, number):
        """Returns tag and record of an entry."""
        at = BEGIN + number * PACE
        root = hashlib.sha256(b"root %d" % number).hexdigest()
        short = {"action": "promote", "plannedAt": at.strftime("%Y-%m-%dT%H:%M:%S.000Z"), "version": f"1.{number}.0"}
        predicate = {"environment": "prod", "destination": self.destination, "tool": "bench", **short,
                     "previous": [one["record"] for one in self.past[-1:]], "past": self.past[: -PAST - 1 : -1]}
        subject = {"name": self.destination, "digest": {"sha256": root}}
        statement = {"_type": "https://in-toto.io/Statement/v1", "subject": [subject],
                     "predicateType": "https://shipmark.dev/attestation/release/v0.1", "predicate": predicate}
        content = json.dumps(statement, separators=(",", ":")).encode()
        record = hashlib.sha256(content).hexdigest()
        self.past.append({"record": f"sha256:{record}", "root": f"sha256:{root}", **short})
        return f"shipmark.prod.{at.strftime('%Y%m%dt%H%M%S000z')}.promote.{root[:12]}.{record[:12]}", content

    def write(self, tag, content):
        layer = {"mediaType": STATEMENT, **self.put_blob(content), "data": base64.b64encode(content).decode()}
        manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "artifactType": "application/vnd.shipmark.timeline-entry.v0.1",
                    "config": self.empty, "layers": [layer]}
        self.registry().put_manifest(TIMELINE, tag, json.dumps(manifest).encode(), MANIFEST)

    def fill(self):
        self.empty = {"mediaType": "application/vnd.oci.empty.v1+json", **self.put_blob(b"{}")}
        entries = [self.entry(number) for number in range(LENGTH)]
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda entry: self.write(*entry), entries))


class Plan:
    def __init__(self, bench):
        self.bench, self.reps = bench, bench.args.reps

    def say(self, *words):
        print(*words, file=sys.stderr, flush=True)

    def run(self, rig, command, shape="0ms"):
        row = rig.run("shipmark " + command, {}, shape)
        if row["rc"]:
            raise SystemExit(f"shipmark {command}: exit status {row['rc']}: {row['error']}")
        return row

    def measure(self, kind, job, commands, rig):
        """Prints the medians of a job, whose `commands` are one for each repetition."""
        rows = [self.run(rig, command, SHAPE) for command in commands]
        wall, cpu = (statistics.median(row[key] for row in rows) for key in ("wall", "cpu"))
        tokens = [sum(n for name, n in row["requests"].items() if "token" in name or name.endswith(" 401")) for row in rows]
        requests = statistics.median(row["total_requests"] - given for row, given in zip(rows, tokens))
        peak = max(row["rss_kib"] for row in rows) / 1024
        print(f"| {kind} | {job} | {wall:.3f} | {cpu:.3f} | {peak:.0f} | {requests:.0f} |", flush=True)

    def image(self, rig, variant):
        name = f"F{variant:03}"
        self.bench.image(rig, name, "dst", f"build/{name.lower()}")
        return f"{rig.dst}/build/{name.lower()}:v1"

    def chain(self, rig):
        """Releases 1.3.0 to prod, and 1.4.0 as far as stage; returns the repositories."""
        place = {name: f"{rig.dst}/{rig.fresh()}/{name}" for name in ("dev", "stage", "prod")}
        policy = rig.work / f"policy-{rig.n}.yml"
        policy.write_text(policy_text(place))
        for variant, version in enumerate(("1.3.0", "1.4.0")):
            image = self.image(rig, variant)
            self.run(rig, f"promote --source {image} --images {place['dev']} --environment dev --version {version} --sign off")
            self.run(rig, f"promote --policy {policy} --environment stage --source {version} --sign off")
            if version == "1.3.0":
                self.run(rig, f"promote --policy {policy} --environment prod --source {version} --sign off")
        return place, policy

    def promotions(self, kind, rig):
        chains = [self.chain(rig) for _ in range(2 * self.reps)]
        with_record = [f"promote --policy {policy} --environment prod --source 1.4.0 --sign off" for _, policy in chains[::2]]
        without = [f"promote --source {place['stage']}:1.4.0 --images {place['prod']} --environment prod --record off --sign off"
                   for place, _ in chains[1::2]]
        self.measure(kind, "promotion without a record", without, rig)
        self.measure(kind, "the same with its record, carrying two", with_record, rig)

    def inspections(self, kind, rig):
        place, policy = self.chain(rig)
        key, public = rig.work / "cosign.key", rig.work / "cosign.pub"
        self.run(rig, f"promote --source {place['stage']}:1.4.0 --images {place['prod']} --environment prod --sign key"
                      f" --signing-key {key} --signature-format bundle --transparency-log off")
        image = f"inspect --source {place['prod']}:1.4.0"
        self.measure(kind, "inspect an image", [image] * self.reps, rig)
        signer = f"{image} --key {public} --transparency-log off"
        self.measure(kind, "the same with a signer", [signer] * self.reps, rig)

    def rollbacks(self, kind, rig):
        commands = []
        for _ in range(self.reps):
            place = f"{rig.dst}/{rig.fresh()}/prod"
            for variant, version in enumerate(("1.3.0", "1.3.1")):
                image = self.image(rig, variant)
                self.run(rig, f"promote --source {image} --images {place} --environment prod --version {version} --sign off"
                              " --flavor latest=false")
            commands.append(f"rollback --images {place} --environment prod --reason outage --sign off")
        self.measure(kind, "rollback of a tag and two lines", commands, rig)

    def histories(self, kind, rig):
        self.say(f"{kind}: writing {LENGTH} entries")
        timeline = Timeline(rig)
        timeline.fill()
        command = f"history --images {timeline.destination} --environment prod"
        self.measure(kind, f"history, newest 20 of {LENGTH}", [command] * self.reps, rig)
        self.measure(kind, f"history --all, {LENGTH}", [f"{command} --all"] * self.reps, rig)


def policy_text(place):
    lines = ["environments:"]
    for name, source in (("dev", None), ("stage", "dev"), ("prod", "stage")):
        lines += [f"  {name}:", f"    repository: {place[name]}"] + ([f"    from: {source}"] if source else [])
    return "\n".join(lines) + "\n"


def run(bench, rig_class, free_port):
    """Runs the plan."""
    add_registries(rig_class, free_port)
    plan = Plan(bench)
    print("| registry | job | s | CPU s | peak MiB | requests |\n|---|---|---|---|---|---|", flush=True)
    for kind in ("refregistry", "distribution"):
        rig = bench.rig(kind, bench.args.proto)
        plan.promotions(kind, rig)
        plan.inspections(kind, rig)
        plan.rollbacks(kind, rig)
    for kind in ("distribution", "unsorted"):
        plan.histories(kind, bench.rig(kind, bench.args.proto))


if __name__ == "__main__":
    serve_front(*sys.argv[1:])
