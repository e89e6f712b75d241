#!/usr/bin/env python3
"""Records what cosign 3.1.3 signs with real Sigstore servers on loopback: Fulcio 1.8.8, a CT log
(certificate-transparency-go 1.4.0), Rekor 1.5.4 and rekor-tiles 2.3.0, timestamp-authority 2.1.3.

record.py COSIGN   (with the servers' addresses in the environment, as SIGSTACK_…)

Each file holds what stands beside one image: its digest, and either a bundle, or a payload with the
annotations of its layer. The servers and their keys were gone when they had been made."""
import base64
import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import urllib.parse
import urllib.request

HERE = pathlib.Path(__file__).parent
COSIGN = sys.argv[1]
REGISTRY = os.environ["SIGSTACK_REFREGISTRY"]
OCI = "application/vnd.oci.image."
ROOT = ["--trusted-root", os.environ["SIGSTACK_TRUSTED_ROOT"]]
V2 = ROOT + ["--signing-config", os.environ["SIGSTACK_SIGNING_CONFIG"]]
V1 = ROOT + ["--signing-config", os.environ["SIGSTACK_SIGNING_CONFIG_REKOR1"]]
OLD = ["--new-bundle-format=false", "--use-signing-config=false"]
TSA = ["--timestamp-server-url", os.environ["SIGSTACK_TSA_URL"]]
FULCIO = ["--fulcio-url", os.environ["SIGSTACK_FULCIO_URL"]]
LOG = ["--rekor-url", os.environ["SIGSTACK_REKOR1_URL"]]
NO_LOG = ["--tlog-upload=false"]
KEY = ["--key", "cosign.key"]
PREDICATE = ["--type", "https://example.com/tested", "--predicate", "predicate.json"]

# What is signed, by the name of the file that holds it. Not the first entry of its log: such a one
# has nothing in its proof of inclusion.
SIGNED = {
    "keyless-rekor2": ["sign", *V2],
    "keyless-rekor2-other-image": ["sign", *V2],
    "keyless-attestation": ["attest", *V2, *PREDICATE],
    "key-rekor2": ["sign", *KEY, *V2],
    "key-rekor1": ["sign", *KEY, *V1],
    "key": ["sign", *KEY, "--use-signing-config=false", *NO_LOG],
    "keyless-rekor1": ["sign", *V1],
    "legacy-keyless": ["sign", *OLD, *ROOT, *FULCIO, *LOG],
    "legacy-keyless-other-image": ["sign", *OLD, *ROOT, *FULCIO, *LOG],
    "legacy-keyless-timestamp": ["sign", *OLD, *ROOT, *FULCIO, *LOG, *TSA],
    "legacy-keyless-no-log": ["sign", *OLD, *ROOT, *FULCIO, *NO_LOG, *TSA],
    "legacy-key": ["sign", *OLD, *KEY, *LOG],
    "legacy-keyless-attestation": ["attest", *OLD, *ROOT, *FULCIO, *LOG, *PREDICATE],
    "legacy-key-attestation": ["attest", *OLD, *KEY, *LOG, *PREDICATE],
}


def call(method, path, data=None, kind="application/octet-stream"):
    url = urllib.parse.urljoin(f"http://{REGISTRY}/v2/recorded/", path)
    headers = {"Content-Type": kind, "Accept": "*/*"}
    return urllib.request.urlopen(urllib.request.Request(url, data=data, method=method, headers=headers))


def digest(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def put_blob(data, kind):
    where = call("POST", "blobs/uploads/", b"").headers["Location"]
    call("PUT", f"{where}{'&' if '?' in where else '?'}digest={digest(data)}", data)
    return {"mediaType": kind, "digest": digest(data), "size": len(data)}


def image(note):
    config = {"architecture": "amd64", "os": "linux", "config": {"Labels": {"note": note}}, "rootfs": {"type": "layers", "diff_ids": []}}
    manifest = {"schemaVersion": 2, "mediaType": OCI + "manifest.v1+json",
                "config": put_blob(json.dumps(config).encode(), OCI + "config.v1+json"), "layers": []}
    data = json.dumps(manifest).encode()
    call("PUT", f"manifests/{digest(data)}", data, manifest["mediaType"])
    return digest(data)


def get(path):
    return call("GET", path).read()


def beside(verb, subject, legacy):
    if legacy:
        tag = subject.replace(":", "-") + (".sig" if verb == "sign" else ".att")
        [layer] = json.loads(get(f"manifests/{tag}"))["layers"]
        payload = get(f"blobs/{layer['digest']}")
        return {"payload": base64.b64encode(payload).decode(), "annotations": layer["annotations"]}
    [found] = json.loads(get(f"referrers/{subject}"))["manifests"]
    [layer] = json.loads(get(f"manifests/{found['digest']}"))["layers"]
    return {"bundle": json.loads(get(f"blobs/{layer['digest']}"))}


def main():
    os.environ.update(COSIGN_PASSWORD="not a secret", SIGSTORE_NO_CACHE="1")
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        os.environ["HOME"] = folder
        subprocess.run([COSIGN, "generate-key-pair"], check=True)
        shutil.copy("cosign.pub", HERE)
        shutil.copy(os.environ["SIGSTACK_TRUSTED_ROOT"], HERE / "trusted_root.json")
        pathlib.Path("predicate.json").write_text(json.dumps({"result": "passed", "tests": [12, 30]}))
        for name, (verb, *flags) in SIGNED.items():
            subject = image(name)
            subprocess.run([COSIGN, verb, "--yes", *flags, f"{REGISTRY}/recorded@{subject}"], check=True)
            found = {"digest": subject, **beside(verb, subject, "--new-bundle-format=false" in flags)}
            (HERE / f"{name}.json").write_text(json.dumps(found, indent=1) + "\n")
    said = {"identity": os.environ["SIGSTACK_IDENTITY"], "issuer": os.environ["SIGSTACK_OIDC_ISSUER"]}
    (HERE / "signer.json").write_text(json.dumps(said, indent=1) + "\n")


main()
