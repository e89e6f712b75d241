#!/usr/bin/env python3
"""Signing with a key beside cosign, on one machine in one run: wall, CPU, peak memory and requests.

  figures-signing.py SHIPMARK [RUNS]     SHIPMARK: the release binary to measure

Needs cosign, refregistry and registry on PATH or where scripts/interop.sh looks for them. The image is in place and tagged;
what is measured is signing it (and reading back, which shipmark does and cosign does not) with cosign's own encrypted key,
once in the bundle form and once in both (two runs of cosign). Times are taken without the counting proxy. Prints Markdown.

What CPU the key's own scrypt takes is measured for each program by itself: for shipmark as the difference to a key that is
not encrypted, for cosign, which takes only encrypted ones, as what `cosign public-key` takes more than `cosign version`.
"""
import collections
import http.client
import http.server
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache"))
PLACES = [CACHE / "shipmark/sigstore", CACHE / "shipmark/peers", CACHE / "runner-tools/bin"]
PASSWORD = "not a secret"


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
        self.server.seen.append(f"{self.command} {re.sub(r'(sha256[:-])?[0-9a-f]{64}|uploads/.+', 'ID', self.path.split('?')[0])}")
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


def serve(folder, name, command):
    """Starts a server, and returns it with the address that its log names."""
    log = folder / f"{name}.log"
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out, env={**os.environ, "OTEL_TRACES_EXPORTER": "none"})
    for _ in range(100):
        if found := re.search(r"listening on (127\.0\.0\.1:\d+)", log.read_text()):
            return process, found[1]
        time.sleep(0.1)
    process.kill()
    sys.exit(f"{name} did not come up:\n{log.read_text()}")


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


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    shipmark, runs = str(pathlib.Path(sys.argv[1]).resolve()), int(sys.argv[2]) if len(sys.argv) == 3 else 7
    os.environ["PATH"] += "".join(f":{place}" for place in PLACES)
    source = f"oci-archive:{ROOT / 'examples/web.oci.tar'}"
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        env = {"PATH": os.environ["PATH"], "HOME": str(folder), "COSIGN_PASSWORD": PASSWORD}
        subprocess.run(["cosign", "generate-key-pair"], cwd=folder, env=env, check=True, capture_output=True)
        key = str(folder / "cosign.key")
        plain = folder / "plain.key"
        subprocess.run(["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", plain],
                       check=True, capture_output=True)
        config = folder / "config.yml"
        config.write_text('version: 0.1\nlog: {level: info}\nhttp: {addr: "127.0.0.1:0"}\n'
                          f'storage: {{filesystem: {{rootdirectory: "{folder}/storage"}}}}\n')
        servers = [serve(folder, "refregistry", ["refregistry"]), serve(folder, "registry", ["registry", "serve", str(config)])]
        fresh = iter(range(10**6))

        def image(address, via):
            place = f"{address}/web{next(fresh)}"
            subprocess.run([shipmark, "push", "--source", source, "--images", place, "--tags", "it"], env=env, check=True,
                           capture_output=True)
            return place.replace(address, via)

        def ours(form, with_key):
            return lambda place: [[shipmark, "promote", "--source", f"{place}:it", "--images", place, "--tags", "it", "--sign=key",
                                   f"--signing-key={with_key}", f"--signature-format={form}"]]

        def theirs(*forms):
            return lambda place: [["cosign", "sign", "--yes", f"--key={key}", "--tlog-upload=false", "--use-signing-config=false",
                                   f"--new-bundle-format={form}", f"{place}:it"] for form in forms]

        jobs = {
            "bundle, shipmark": ours("bundle", key), "bundle, shipmark, key not encrypted": ours("bundle", plain),
            "bundle, cosign": theirs("true"),
            "both forms, shipmark": ours("both", key), "both forms, shipmark, key not encrypted": ours("both", plain),
            "both forms, cosign (two runs)": theirs("true", "false"),
        }
        cpu_of = lambda *command: statistics.median(measure(["cosign", *command], env)[1] for _ in range(runs))
        scrypt = cpu_of("public-key", f"--key={key}") - cpu_of("version")
        try:
            for name, (_, address) in zip(("registry with the referrers API (refregistry)", "registry without (distribution)"), servers):
                print(f"\n{name}, median of {runs}\n\n| | wall ms | CPU ms | apart from scrypt | peak MiB | requests |\n|---|---|---|---|---|---|")
                detail = {}
                for job, commands in jobs.items():
                    taken = []
                    for _ in range(runs):
                        parts = [measure(command, env) for command in commands(image(address, address))]
                        taken.append((sum(p[0] for p in parts), sum(p[1] for p in parts), max(p[2] for p in parts)))
                    counter = proxy(address)
                    for command in commands(image(address, f"127.0.0.1:{counter.server_port}")):
                        measure(command, env)
                    detail[job] = counter.seen
                    wall, cpu, peak = (statistics.median(column) for column in zip(*taken))
                    apart = cpu - (scrypt if "cosign" in job else 0) * len(commands(""))
                    apart = "" if "shipmark" in job and "not encrypted" not in job else f"{apart * 1000:.0f}"
                    print(f"| {job} | {wall * 1000:.0f} | {cpu * 1000:.0f} | {apart} | {peak:.0f} | {len(counter.seen)} |",
                          flush=True)
                for job, seen in detail.items():
                    counts = collections.Counter(re.sub(r"web\d+", "web", line) for line in seen)
                    print(f"\n{job}: " + ", ".join(f"{times} {shape}" for shape, times in counts.items()), file=sys.stderr)
        finally:
            for process, _ in servers:
                process.terminate()
                process.wait()


if __name__ == "__main__":
    main()
