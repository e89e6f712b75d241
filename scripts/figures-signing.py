#!/usr/bin/env python3
"""Compares signing with cosign, on one machine in one run: wall time, CPU, peak memory, and requests to each service.

  figures-signing.py SHIPMARK [RUNS]     SHIPMARK: release binary to measure

Needs the servers of sigstore-stack with their addresses in the environment (`. STATE/env`), and cosign where
scripts/interop.sh looks for it. The image is already in place and tagged. The script measures signing (with reading back,
which shipmark does and cosign does not), and for an index of six images signing all seven manifests (`recursive`). Times are
measured without the counting proxies. Prints Markdown, and each request to stderr.

The key is an encrypted key of cosign. The CPU time of its scrypt is measured for each program, and given in brackets: for
shipmark as the difference to a key that is not encrypted; for cosign, which takes only encrypted keys, as the difference
between `cosign public-key` and `cosign version`.
"""
import collections
import hashlib
import http.client
import http.server
import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse

ROOT = pathlib.Path(__file__).resolve().parent.parent
CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache"))
PLACES = [CACHE / "shipmark/sigstore", CACHE / "shipmark/peers", CACHE / "runner-tools/bin"]
PASSWORD = "not a secret"
# The services, by the variable that names each.
SERVICES = {"token": "ACTIONS_ID_TOKEN_REQUEST_URL", "Fulcio": "SIGSTACK_FULCIO_URL", "Rekor": "SIGSTACK_REKOR_URL",
            "Rekor v1": "SIGSTACK_REKOR1_URL", "TSA": "SIGSTACK_TSA_URL"}
CONFIGS = ("SIGSTACK_SIGNING_CONFIG", "SIGSTACK_SIGNING_CONFIG_REKOR1")
REGISTRIES = {"registry with the referrers API (refregistry)": "SIGSTACK_REFREGISTRY",
              "registry without (distribution)": "SIGSTACK_REGISTRY"}


class Proxy(http.server.BaseHTTPRequestHandler):
    """Hands requests on and counts them."""
    protocol_version = "HTTP/1.1"

    def body(self):
        if "chunked" not in self.headers.get("Transfer-Encoding", ""):
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        parts = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def forward(self):
        data = self.body()
        shape = re.sub(r"(sha256[:-])?[0-9a-f]{64}|uploads/.+", "ID", self.path.split("?")[0])
        shape = re.sub("/v2/.+?/(manifests|blobs|referrers|tags)/", r"/v2/IMAGE/\1/", shape)
        self.server.seen.append(f"{self.command} {shape}")
        upstream = http.client.HTTPConnection(self.server.target, timeout=60)
        hop = ("transfer-encoding", "connection", "content-length")
        headers = {k: v for k, v in self.headers.items() if k.lower() not in hop}
        if data or self.command in ("POST", "PUT", "PATCH"):
            headers["Content-Length"] = str(len(data))
        upstream.request(self.command, self.path, data or None, headers)
        answer = upstream.getresponse()
        content = answer.read()
        self.send_response(answer.status)
        for key, value in answer.getheaders():
            if key.lower() not in hop:
                self.send_header(key, value)
        length = answer.getheader("Content-Length") if self.command == "HEAD" else None
        self.send_header("Content-Length", length or str(len(content)))
        self.end_headers()
        self.wfile.write(content)
        upstream.close()

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = forward

    def log_message(self, *_):
        pass


def proxy(target):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
    server.daemon_threads, server.target, server.seen = True, target, []
    server.handle_error = lambda *_: None  # a client that hangs up
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


class Counted:
    """The services behind counting proxies: `env` names those in place of the services themselves."""

    def __init__(self, env, folder, registry):
        self.env, self.proxies, swap = dict(env), {}, {}
        for name, variable in SERVICES.items():
            host = urllib.parse.urlsplit(env[variable]).netloc
            self.proxies[name] = proxy(host)
            swap[host] = f"127.0.0.1:{self.proxies[name].server_port}"
            self.env[variable] = env[variable].replace(host, swap[host])
        for variable in CONFIGS:
            text = pathlib.Path(env[variable]).read_text()
            for host, other in swap.items():
                text = text.replace(host, other)
            path = folder / f"counted-{pathlib.Path(env[variable]).name}"
            path.write_text(text)
            self.env[variable] = str(path)
        self.proxies["registry"] = proxy(registry)
        self.registry = f"127.0.0.1:{self.proxies['registry'].server_port}"

    def requests(self):
        seen = {name: server.seen for name, server in self.proxies.items()}
        seen["Rekor"] = seen["Rekor"] + seen.pop("Rekor v1")
        return seen


def index_of_six(folder):
    """An image layout with an index of six images of one small layer each."""
    blobs = folder / "blobs/sha256"
    blobs.mkdir(parents=True)

    def put(data, kind, **more):
        digest = hashlib.sha256(data).hexdigest()
        (blobs / digest).write_bytes(data)
        return {"mediaType": f"application/vnd.oci.image.{kind}", "digest": f"sha256:{digest}", "size": len(data), **more}

    def as_json(body, kind, **more):
        return put(json.dumps({"schemaVersion": 2, **body}).encode(), kind, **more)

    def image(architecture):
        layer = put(architecture.encode(), "layer.v1.tar")
        config = {"architecture": architecture, "os": "linux", "config": {},
                  "rootfs": {"type": "layers", "diff_ids": [layer["digest"]]}}
        body = {"mediaType": "application/vnd.oci.image.manifest.v1+json", "layers": [layer],
                "config": put(json.dumps(config).encode(), "config.v1+json")}
        return as_json(body, "manifest.v1+json", platform={"architecture": architecture, "os": "linux"})

    children = [image(name) for name in ("amd64", "arm64", "ppc64le", "riscv64", "s390x", "loong64")]
    index = as_json({"mediaType": "application/vnd.oci.image.index.v1+json", "manifests": children}, "index.v1+json")
    (folder / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [index]}))
    (folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    return f"oci:{folder}"


def measure(command, env):
    """Wall seconds, CPU seconds, peak MiB."""
    began = time.monotonic()
    process = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.monotonic() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{command}: exit {process.returncode}\n{output.decode(errors='replace')[-2000:]}")
    return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


class Job:
    """What is signed how, and by which commands, given the environment and the place of the image."""

    def __init__(self, name, ours, theirs, recursive=False, with_key=False):
        self.name, self.ours, self.theirs, self.recursive, self.with_key = name, ours, theirs, recursive, with_key


def jobs():
    def config(variable):
        return lambda env: ["--trusted-root", env["SIGSTACK_TRUSTED_ROOT"], "--signing-config", env[variable]]

    rekor2, rekor1 = map(config, CONFIGS)
    nothing = lambda env: []
    unlogged = ["--tlog-upload=false", "--use-signing-config=false"]
    fulcio = lambda env: ["--use-signing-config=false", "--trusted-root", env["SIGSTACK_TRUSTED_ROOT"], "--fulcio-url",
                          env["SIGSTACK_FULCIO_URL"], "--rekor-url", env["SIGSTACK_REKOR1_URL"]]

    def ours(way, where, form="bundle"):
        return lambda env, key, more: ["--sign", way, "--signature-format", form, *where(env),
                                       *(["--signing-key", key] if way == "key" else []), *more]

    def theirs(where, *forms, key=False):
        return lambda env: [[f"--new-bundle-format={form}", *(["--key", env["KEY"]] if key else []), *where(env)]
                            for form in forms or ("true",)]

    logged_key = lambda env: ["--transparency-log", "on", *rekor2(env)]
    no_log = lambda env: unlogged
    return [
        Job("key, bundle", ours("key", nothing), theirs(no_log, key=True), with_key=True),
        Job("key, both formats (cosign: two runs)", ours("key", nothing, "both"), theirs(no_log, "true", "false", key=True),
            with_key=True),
        Job("key, bundle, Rekor v2 and timestamp", ours("key", logged_key), theirs(rekor2, key=True), with_key=True),
        Job("keyless, bundle, Rekor v2 and timestamp", ours("keyless", rekor2), theirs(rekor2)),
        Job("keyless, bundle, Rekor v1 and timestamp", ours("keyless", rekor1), theirs(rekor1)),
        Job("keyless, legacy, Rekor v1", ours("keyless", rekor1, "legacy"), theirs(fulcio, "false")),
        Job("index of six, key, bundle", ours("key", nothing), theirs(no_log, key=True), recursive=True, with_key=True),
        Job("index of six, keyless, bundle, Rekor v2 and timestamp", ours("keyless", rekor2), theirs(rekor2), recursive=True),
        Job("index of six, keyless, bundle, Rekor v1 and timestamp", ours("keyless", rekor1), theirs(rekor1), recursive=True),
    ]


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    if "SIGSTACK_TRUSTED_ROOT" not in os.environ:
        sys.exit("figures-signing.py: no Sigstore in the environment: sigstore-stack/up.sh DIR STATE, then . STATE/env")
    shipmark, runs = str(pathlib.Path(sys.argv[1]).resolve()), int(sys.argv[2]) if len(sys.argv) == 3 else 7
    os.environ["PATH"] += "".join(f":{place}" for place in PLACES)
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        env = {**os.environ, "HOME": str(folder), "COSIGN_PASSWORD": PASSWORD, "SIGSTORE_NO_CACHE": "1",
               "KEY": str(folder / "cosign.key")}
        subprocess.run(["cosign", "generate-key-pair"], cwd=folder, env=env, check=True, capture_output=True)
        plain = folder / "plain.key"
        subprocess.run(["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", plain],
                       check=True, capture_output=True)
        (folder / "six").mkdir()
        sources = {False: f"oci-archive:{ROOT / 'examples/web.oci.tar'}",
                   True: index_of_six(folder / "six")}
        fresh = iter(range(10**6))
        cpu_of = lambda *command: statistics.median(measure(["cosign", *command], env)[1] for _ in range(runs))
        scrypt = cpu_of("public-key", f"--key={env['KEY']}") - cpu_of("version")

        def image(job, address):
            place = f"{address}/signed{os.getpid()}/web{next(fresh)}"
            subprocess.run([shipmark, "push", "--source", sources[job.recursive], "--images", place, "--tags", "it"], env=env,
                           check=True, capture_output=True)
            return place

        def ours(job, key):
            def commands(env, place):
                more = ["--recursive"] if job.recursive else []
                return [[shipmark, "promote", "--source", f"{place}:it", "--images", place, "--tags", "it",
                         *job.ours(env, key, more)]]
            return commands

        def theirs(job):
            def commands(env, place):
                more = ["--recursive"] if job.recursive else []
                return [["cosign", "sign", "--yes", *more, *flags, f"{place}:it"] for flags in job.theirs(env)]
            return commands

        def taken(job, address, commands):
            """Wall, CPU and peak of one run after the other."""
            rows = []
            for _ in range(runs):
                parts = [measure(command, env) for command in commands(env, image(job, address))]
                rows.append((sum(p[0] for p in parts), sum(p[1] for p in parts), max(p[2] for p in parts)))
            return [statistics.median(column) for column in zip(*rows)]

        for name, variable in REGISTRIES.items():
            address = env[variable]
            print(f"\n{name}, median of {runs}\n\n| | | wall ms | CPU ms | MiB | token | Fulcio | Rekor | TSA | registry |\n"
                  "|---|---|---|---|---|---|---|---|---|---|")
            for job in jobs():
                for who, commands in (("shipmark", ours(job, env["KEY"])), ("cosign", theirs(job))):
                    wall, cpu, peak = taken(job, address, commands)
                    apart, memory = "", f"{peak:.0f}"
                    if job.with_key and who == "shipmark":
                        _, cpu_without, peak_without = taken(job, address, ours(job, str(plain)))
                        apart, memory = f" ({cpu_without * 1000:.0f})", f"{peak:.0f} ({peak_without:.0f})"
                    elif job.with_key and not job.recursive:  # there cosign opens the key for each manifest
                        apart = f" ({(cpu - scrypt * len(commands(env, ''))) * 1000:.0f})"
                    counted = Counted(env, folder, address)
                    place = image(job, address).replace(address, counted.registry)
                    for command in commands(counted.env, place):
                        measure(command, counted.env)
                    seen = counted.requests()
                    counts = " | ".join(str(len(seen[service])) for service in ("token", "Fulcio", "Rekor", "TSA", "registry"))
                    print(f"| {job.name} | {who} | {wall * 1000:.0f} | {cpu * 1000:.0f}{apart} | {memory} | {counts} |", flush=True)
                    detail = collections.Counter(seen["registry"])
                    print(f"\n{job.name}, {who}: " + ", ".join(f"{n} {shape}" for shape, n in detail.items()), file=sys.stderr)
        print("\nIn brackets: with a key that is not encrypted, cosign's CPU without what scrypt takes of it.")


if __name__ == "__main__":
    main()
