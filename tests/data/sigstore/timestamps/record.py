#!/usr/bin/env python3
"""Records timestamps of `openssl ts` (OpenSSL 3.0.19) over one signature: every kind of key and hash
that cosign takes, with the authority's certificates in the trusted root or in the timestamp, and
timestamps that prove nothing.

record.py TIMESTAMP_SERVER   (writes tokens.json next to this file)

openssl makes no timestamps with Ed25519: those are of timestamp-authority 2.1.3, at the given path.

`bundle` and `root` are a Sigstore bundle and a trusted root without timestamps; `chains` are the
certificates of each authority, its own first. A case adds its `token` to the bundle, and to the root
the authority `chain` from the certificate `from` on, with `validFor` if the case has one. `refused` is a part of the
reason, and absent where the timestamp is good. Keys were gone when the timestamps had been made."""
import base64
import hashlib
import itertools
import json
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

HERE = pathlib.Path(__file__).parent
KINDS = {
    "RSA 2048": ["RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
    "RSA 3072": ["RSA", "-pkeyopt", "rsa_keygen_bits:3072"],
    "RSA 4096": ["RSA", "-pkeyopt", "rsa_keygen_bits:4096"],
    "P-256": ["EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
    "P-384": ["EC", "-pkeyopt", "ec_paramgen_curve:P-384"],
    "P-521": ["EC", "-pkeyopt", "ec_paramgen_curve:P-521"],
}
HASHES = {"SHA-256": "sha256", "SHA-384": "sha384", "SHA-512": "sha512"}
# Where the authority's certificates are: the first one in the trusted root, and those in the token.
PLACES = {
    "all in the root": (0, False, False),
    "all in the root, its own in the token too": (0, True, False),
    "its own in the token": (1, True, False),
    "all but the root in the token": (2, True, True),
}
ALWAYS = ("20200101000000Z", "21200101000000Z")
ISSUER = "https://token.actions.githubusercontent.com"
SIGNER = "https://github.com/acme/web/.github/workflows/release.yml@refs/heads/main"
STAMPS = "extendedKeyUsage=critical,timeStamping\nkeyUsage=critical,digitalSignature\n"
ISSUES = "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\nsubjectKeyIdentifier=hash\n"

SERVER = os.path.abspath(sys.argv[1])
os.chdir(tempfile.mkdtemp())
names = itertools.count()


def openssl(*arguments):
    return subprocess.run(["openssl", *arguments], check=True, capture_output=True).stdout


def write(text):
    name = f"file{next(names)}"
    pathlib.Path(name).write_bytes(text if isinstance(text, bytes) else text.encode())
    return name


def key(kind):
    name = f"key{next(names)}"
    openssl("genpkey", "-algorithm", *KINDS.get(kind, [kind]), "-out", name)
    return name


def certify(subject, subject_key, extensions, above=None, during=ALWAYS, serial="01"):
    """A certificate, by itself or from `above` (a certificate and its key)."""
    folder = pathlib.Path(f"ca{next(names)}")
    folder.mkdir()
    (folder / "index").write_text("")
    (folder / "serial").write_text(serial)
    config = write(
        f"[ca]\ndefault_ca=d\n[d]\ndatabase={folder}/index\nserial={folder}/serial\nnew_certs_dir={folder}\n"
        "default_md=sha256\npolicy=p\n[p]\ncommonName=supplied\n"
    )
    request = f"{folder}/request"
    openssl("req", "-new", "-key", subject_key, "-subj", f"/CN={subject}", "-out", request)
    by = ["-selfsign", "-keyfile", subject_key] if above is None else ["-cert", above[0], "-keyfile", above[1]]
    out = f"{folder}/certificate"
    openssl(
        "ca", "-batch", "-notext", "-config", config, "-in", request, "-out", out, *by, "-extfile", write(extensions),
        "-startdate", during[0], "-enddate", during[1],
    )
    return out, subject_key


class Authority:
    """A timestamp authority: its own certificate, the one that issued it, and the root."""

    def __init__(self, kind, leaf=STAMPS, during=ALWAYS, between="", between_during=ALWAYS):
        above = kind if kind[0] == "P" else "RSA 2048"
        self.root = certify("timestamp root", key(above), ISSUES)
        self.between = certify("timestamps", key(above), ISSUES + between, self.root, between_during)
        self.leaf = certify("timestamp", key(kind), leaf, self.between, during)

    def twin(self, leaf):
        """The same key, name and number in a certificate that openssl would not stamp with."""
        return certify("timestamp", self.leaf[1], leaf, self.between)

    def chain(self, leaf=None):
        return [base64.b64encode(der(path)).decode() for path, _ in (leaf or self.leaf, self.between, self.root)]

    def stamp(self, data, md, certified=False, issuers=False, imprint=None, policy="1.2.3.4"):
        """The response to a request for a timestamp over `data`, signed with the hash `md`."""
        query, reply = f"query{next(names)}", f"reply{next(names)}"
        more = ["-cert"] if certified else []
        openssl(
            "ts", "-query", "-data", write(data), f"-{imprint or md}", "-no_nonce", "-tspolicy", policy, *more, "-out", query
        )
        config = write(
            f"[tsa]\ndefault_tsa=t\n[t]\nserial={write('01')}\ndefault_policy=1.2.3.4\n"
            "digests=sha1,sha256,sha384,sha512\ness_cert_id_alg=sha256\n"
        )
        above = ["-chain", self.between[0]] if issuers else []
        openssl(
            "ts", "-reply", "-config", config, "-queryfile", query, "-signer", self.leaf[0], "-inkey", self.leaf[1],
            *above, f"-{md}", "-out", reply,
        )
        return pathlib.Path(reply).read_bytes()

    def serve(self, data, md, certified):
        """The same, of Sigstore's timestamp authority."""
        query = f"query{next(names)}"
        more = ["-cert"] if certified else []
        openssl("ts", "-query", "-data", write(data), f"-{md}", "-no_nonce", *more, "-out", query)
        chain = "".join(openssl("x509", "-in", path).decode() for path, _ in (self.leaf, self.between, self.root))
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        server = subprocess.Popen(
            [
                SERVER, "serve", "--host=127.0.0.1", f"--port={port}", "--timestamp-signer=file", "--disable-ntp-monitoring",
                f"--file-signer-key-path={self.leaf[1]}", f"--certificate-chain-path={write(chain)}",
                f"--timestamp-signer-hash={md}",
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            return self.request(f"http://127.0.0.1:{port}/api/v1/timestamp", pathlib.Path(query).read_bytes())
        finally:
            server.kill()

    def request(self, url, query):
        request = urllib.request.Request(url, data=query, headers={"Content-Type": "application/timestamp-query"})
        for _ in range(100):
            try:
                return urllib.request.urlopen(request).read()
            except urllib.error.URLError:
                time.sleep(0.1)
        raise SystemExit("timestamp-server does not answer")


def der(path):
    return openssl("x509", "-in", path, "-outform", "DER")


def changed(token, before, after):
    assert token.count(before) == 1
    return token.replace(before, after)


# A signature of a keyless signer over a file.
fulcio = certify("fulcio", key("P-384"), ISSUES)
leaf = certify(
    "signer",
    key("P-256"),
    "keyUsage=critical,digitalSignature\nextendedKeyUsage=codeSigning\n"
    f"subjectAltName=critical,URI:{SIGNER}\n1.3.6.1.4.1.57264.1.8=ASN1:UTF8String:{ISSUER}\n",
    fulcio,
)
artifact = b"stamped\n"
signature = openssl("dgst", "-sha256", "-sign", leaf[1], write(artifact))
encode = lambda data: base64.b64encode(data).decode()
recorded = {
    "artifact": artifact.decode(),
    "bundle": {
        "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
        "verificationMaterial": {"certificate": {"rawBytes": encode(der(leaf[0]))}},
        "messageSignature": {
            "messageDigest": {"algorithm": "SHA2_256", "digest": encode(hashlib.sha256(artifact).digest())},
            "signature": encode(signature),
        },
    },
    "root": {
        "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
        "tlogs": [],
        "ctlogs": [],
        "certificateAuthorities": [
            {
                "subject": {"organization": "test", "commonName": "fulcio"},
                "uri": "https://fulcio.example",
                "certChain": {"certificates": [{"rawBytes": encode(der(fulcio[0]))}]},
                "validFor": {"start": "2020-01-01T00:00:00Z"},
            }
        ],
    },
    "chains": {},
    "cases": [],
}


def add(name, chain, token, first=0, **more):
    recorded["chains"].setdefault(chain[0], chain[1])
    recorded["cases"].append({"name": name, "chain": chain[0], "from": first, "token": encode(token), **more})


authorities = {kind: Authority(kind) for kind in KINDS}
for kind, authority in authorities.items():
    for digest, md in HASHES.items():
        for place, (first, certified, issuers) in PLACES.items():
            token = authority.stamp(signature, md, certified, issuers)
            add(f"{kind}, {digest}, {place}", (kind, authority.chain()), token, first)

ed25519 = Authority("ED25519", between="extendedKeyUsage=timeStamping\n")
for digest, md in HASHES.items():
    for place, (first, certified, issuers) in PLACES.items():
        if not issuers:
            token = ed25519.serve(signature, md, certified)
            add(f"Ed25519, {digest}, {place}", ("Ed25519", ed25519.chain()), token, first)

for kind, md in {"RSA 2048": "sha256", "P-384": "sha384"}.items():
    good = authorities[kind]
    own = (kind, good.chain())

    def refuse(name, reason, chain, token, first=0, **more):
        add(f"{kind}, {name}", chain, token, first, refused=reason, **more)

    def other(name, **leaf):
        authority = Authority(kind, **leaf)
        return (f"{kind}, {name}", authority.chain()), authority.stamp(signature, md, True)

    token = good.stamp(signature, md, True)
    add(f"{kind}, the signature hashed with another hash", own, good.stamp(signature, md, True, imprint="sha512"))
    refuse("over another signature", "another signature", own, good.stamp(b"another", md, True))
    moment = token[token.index(b"\x18\x0f20") + 2 :][:15]
    refuse("at another time", "not what was signed", own, changed(token, moment, b"20300101000000Z"))
    refuse("with a changed signature", "did not sign", own, token[:-9] + bytes([token[-9] ^ 1]) + token[-8:])
    refuse("of another authority", "no authority of the trusted root issued it", other("another")[0], token, 1)
    refuse("cut off", "cannot be read", own, token[:-1])
    refuse("refused by the authority", "PKI status 2", own, good.stamp(signature, md, policy="1.2.3.5"))
    refuse("the signature hashed with SHA-1", "SHA-256, SHA-384 or SHA-512", own, good.stamp(signature, md, imprint="sha1"))
    refuse("signed with SHA-1", "signed with the hash", own, good.stamp(signature, "sha1", imprint="sha256"))
    long_ago = {"start": "2020-01-01T00:00:00Z", "end": "2021-01-01T00:00:00Z"}
    refuse("of an authority that had ended", "does not count", own, token, validFor=long_ago)
    ended = ("20200101000000Z", "20210101000000Z")
    refuse("by an expired certificate", "had expired", *other("expired", during=ended))
    later = ("20900101000000Z", "21200101000000Z")
    refuse("by a certificate that is not valid yet", "not valid yet", *other("not valid yet", during=later))
    refuse("below an expired certificate", "had expired", *other("expired issuer", between_during=ended))
    servers = "extendedKeyUsage=serverAuth\n"
    refuse("below a certificate for servers", "extended key usage", *other("issuer for servers", between=servers))
    for name, text in {
        "by a certificate without extended key usage": "keyUsage=critical,digitalSignature\n",
        "by a certificate whose extended key usage is not critical": STAMPS.replace("critical,timeStamping", "timeStamping"),
        "by a certificate for code too": STAMPS.replace("timeStamping", "timeStamping,codeSigning"),
        "by a certificate for servers": STAMPS.replace("timeStamping", "serverAuth"),
    }.items():
        chain = (f"{kind}, {name}", good.chain(good.twin(text)))
        refuse(name, "extended key usage", chain, good.stamp(signature, md))
    issuer = (f"{kind}, issuer", good.chain(good.twin(STAMPS + "basicConstraints=critical,CA:TRUE\n")))
    refuse("by a certificate that may issue others", "", issuer, good.stamp(signature, md))

(HERE / "tokens.json").write_text(json.dumps(recorded, indent=1) + "\n")
