"""Tests of the reader: python3 -m unittest discover -s tests/readers"""

import base64
import hashlib
import http.server
import json
import os
import pathlib
import tempfile
import threading
import unittest

import timeline

FOLDER = pathlib.Path(__file__).resolve().parent
FORMATS = FOLDER.parent.parent / "docs" / "formats.md"
EMPTY = b"{}"


def root_of(name):
    return timeline.digest_of(name.encode())


def block(name):
    """Returns the block of docs/formats.md below a comment."""
    text = FORMATS.read_text(encoding="utf-8").split(f"<!-- {name}: ", 1)[1]
    return text.split("```", 2)[1].split("\n", 1)[1].rstrip("\n")


class Repository:
    """Manifests by tag, and blobs, of one repository."""

    def __init__(self, name="web"):
        self.name = name
        self.blobs = {}
        self.named = {}

    def add(self, blob):
        self.blobs[timeline.digest_of(blob)] = blob
        return timeline.digest_of(blob)

    def add_entry(self, blob, tag, inline=True, **changes):
        layer = {"mediaType": "application/vnd.in-toto+json", "digest": self.add(blob), "size": len(blob)}
        if inline:
            layer["data"] = base64.b64encode(blob).decode()
        manifest = {
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "artifactType": timeline.ENTRY_TYPE,
            "config": {"mediaType": "application/vnd.oci.empty.v1+json", "digest": self.add(EMPTY), "size": 2},
            "layers": [layer],
        }
        manifest.update(changes)
        self.named[tag] = self.add(json.dumps(manifest).encode())

    def write_layout(self, folder):
        path = os.path.join(folder, self.name)
        os.makedirs(os.path.join(path, "blobs", "sha256"))
        for digest, blob in self.blobs.items():
            with open(os.path.join(path, "blobs", *digest.split(":")), "wb") as file:
                file.write(blob)
        manifests = [
            {
                "mediaType": "application/vnd.oci.image.manifest.v1+json",
                "digest": digest,
                "size": len(self.blobs[digest]),
                "annotations": {"org.opencontainers.image.ref.name": tag},
            }
            for tag, digest in self.named.items()
        ]
        with open(os.path.join(path, "index.json"), "w", encoding="utf-8") as file:
            json.dump({"schemaVersion": 2, "manifests": manifests}, file)
        return path

    def read(self, **options):
        with tempfile.TemporaryDirectory() as folder:
            place = timeline.Layout(self.write_layout(folder))
            return timeline.read_timeline(place, "prod", place.name, **options)


def statement(root, action="promote", minute=0, **members):
    predicate = {
        "environment": "prod",
        "destination": "web",
        "action": action,
        "tool": "a test",
        "plannedAt": f"2026-11-20T10:{minute:02}:00.000Z",
        "previous": [],
    }
    predicate.update(members)
    return {
        "_type": timeline.STATEMENT_TYPE,
        "subject": [{"name": predicate["destination"], "digest": {"sha256": root[7:]}}],
        "predicateType": timeline.PREDICATE_TYPE,
        "predicate": predicate,
    }


def stored(value):
    return json.dumps(value, separators=(",", ":")).encode()


def tag_of(value, blob):
    predicate = value["predicate"]
    subjects = value["subject"] or [{"digest": {"sha256": "0" * 64}}]
    root = "sha256:" + subjects[0]["digest"]["sha256"]
    return timeline.entry_tag(root, predicate, timeline.digest_of(blob))


def bundle_of(payload, payload_type=timeline.PAYLOAD_TYPE):
    envelope = {
        "payload": base64.b64encode(payload).decode(),
        "payloadType": payload_type,
        "signatures": [{"sig": "AA=="}],
    }
    media_type = "application/vnd.dev.sigstore.bundle.v0.3+json"
    return stored({"mediaType": media_type, "verificationMaterial": {}, "dsseEnvelope": envelope})


class Stories(unittest.TestCase):
    def play(self, records):
        """Returns the repository of a story, and the ids of its records by their names there."""
        repository, ids, before = Repository(), {}, []
        for minute, record in enumerate(records):
            members = {"previous": [ids[name] for name in record.get("previous", before[-1:])]}
            members["past"] = [
                {"record": ids[name], "action": "push", "root": root_of("x"), "plannedAt": "2026-11-20T09:00:00.000Z"}
                for name in record.get("past", before[::-1])
            ]
            if "restores" in record:
                members["restores"] = root_of(record["restores"])
            if "reinstates" in record:
                members["reinstates"] = [ids[name] for name in record["reinstates"]]
            value = statement(root_of(record["root"]), record["action"], record.get("at", minute), **members)
            blob = stored(value)
            ids[record["id"]] = timeline.digest_of(blob)
            before.append(record["id"])
            if not record.get("gone"):
                repository.add_entry(blob, tag_of(value, blob), inline=minute % 2 == 0)
        return repository, ids

    def test_a_story_has_the_state_that_the_rules_give(self):
        stories = json.loads((FOLDER / "timelines.json").read_text(encoding="utf-8"))
        self.assertGreaterEqual(len(stories), 10)
        for story in stories:
            with self.subTest(story["name"]):
                repository, ids = self.play(story["records"])
                read = repository.read()
                self.assertEqual(read["passedOver"], [])
                expected = story["expected"]
                for member in ("current", "previous"):
                    if member in expected:
                        root = expected[member] and root_of(expected[member])
                        self.assertEqual(read[member], root, member)
                self.assertEqual(read["withdrawn"], sorted(map(root_of, expected["withdrawn"])))
                for member in ("heads", "missing"):
                    if member in expected:
                        self.assertEqual(read[member], [ids[name] for name in expected[member]], member)


    def test_a_rollback_that_is_stored_again_withdraws_nothing_again(self):
        records = [
            {"id": "a", "action": "promote", "root": "1.3"},
            {"id": "b", "action": "promote", "root": "1.4"},
            {"id": "c", "action": "rollback", "root": "1.4", "restores": "1.3"},
            {"id": "d", "action": "reinstate", "root": "1.4", "reinstates": ["c"]},
        ]
        repository, ids = self.play(records)
        value = json.loads(repository.blobs[ids["c"]])
        for again in (stored(value) + b" ", bundle_of(stored(value))):
            repository.add_entry(again, tag_of(value, again))
        read = repository.read()
        self.assertEqual(len(read["counted"]), 6)
        self.assertEqual((read["current"], read["withdrawn"]), (root_of("1.4"), []))
        value["predicate"]["plannedAt"] = "2026-11-20T10:02:00.001Z"
        other = stored(value)
        repository.add_entry(other, tag_of(value, other))
        self.assertEqual(repository.read()["withdrawn"], [root_of("1.4")])


class Counting(unittest.TestCase):
    def reason(self, blob, tag, signed=False, **changes):
        repository = Repository()
        repository.add_entry(blob, tag, **changes)
        read = repository.read(is_signed_environment=signed)
        self.assertEqual(read["counted"], [])
        self.assertIsNone(read["current"])
        [passed] = read["passedOver"]
        return passed["reason"]

    def refused(self, expected, change=None, of=None, **changes):
        value = statement(root_of("1.4"), previous=[], past=[])
        if change:
            change(value)
        blob = of(value) if of else stored(value)
        self.assertIn(expected, self.reason(blob, tag_of(value, blob), **changes))

    def test_the_documented_example_counts(self):
        repository = Repository("ghcr.io/acme/web")
        blob, manifest, tag = (block(f"example {name}") for name in ("record", "manifest", "tag"))
        repository.add(blob.encode())
        repository.named[tag] = repository.add(manifest.encode())
        with tempfile.TemporaryDirectory() as folder:
            place = timeline.Layout(repository.write_layout(folder))
            read = timeline.read_timeline(place, "prod", "ghcr.io/acme/web")
        self.assertEqual(read["passedOver"], [])
        [entry] = read["counted"]
        self.assertEqual(entry["record"], "sha256:" + hashlib.sha256(blob.encode()).hexdigest())
        self.assertEqual((entry["version"], entry["signature"]), ("1.4.0", "none"))
        self.assertEqual(read["current"], entry["root"])
        self.assertEqual(read["missing"], entry["previous"])

    def test_a_bundle_is_read_and_its_signature_not_checked(self):
        value = statement(root_of("1.4"))
        blob = bundle_of(stored(value))
        repository = Repository()
        repository.add_entry(blob, tag_of(value, blob))
        for signed in (False, True):
            [entry] = repository.read(is_signed_environment=signed)["counted"]
            self.assertEqual(entry["signature"], "signature not checked")
        self.refused("signs no in-toto", of=lambda it: bundle_of(stored(it), "text/plain"))
        self.refused("it is not signed", signed=True)

    def test_a_record_of_another_place_does_not_count(self):
        def to(member, text):
            def change(value):
                value["predicate"][member] = text
                value["subject"][0]["name"] = value["predicate"]["destination"]

            return change

        self.refused("its destination is api", to("destination", "api"))
        value = statement(root_of("1.4"), environment="stage")
        blob = stored(value)
        tag = tag_of(value, blob).replace(".stage.", ".prod.")
        self.assertIn("it is of the environment stage", self.reason(blob, tag))

    def test_a_name_that_says_something_else_does_not_count(self):
        value = statement(root_of("1.4"))
        blob = stored(value)
        parts = tag_of(value, blob).split(".")
        for at, other in ((2, "20261120t110000000z"), (3, "rollback"), (4, "0" * 12), (5, "0" * 12)):
            renamed = ".".join(parts[:at] + [other] + parts[at + 1 :])
            self.assertIn("its record has the tag", self.reason(blob, renamed))
        for other in ("shipmark.prod.x", ".".join(parts).upper(), ".".join(parts) + ".x"):
            repository = Repository()
            repository.add_entry(blob, other)
            self.assertEqual(repository.read()["passedOver"], [], "not the name of an entry")

    def test_another_manifest_is_no_entry(self):
        self.refused("no timeline entry", artifactType="application/vnd.example")
        self.refused("has a subject", subject={"digest": root_of("1.4")})
        self.refused("number of layers", layers=[])
        value = statement(root_of("1.4"))
        blob = stored(value)
        layer = {"digest": timeline.digest_of(blob), "size": len(blob), "data": "AAAA"}
        self.assertIn("digest says", self.reason(blob, tag_of(value, blob), layers=[layer]))
        layer["data"] = base64.b64encode(b"x" * len(blob)).decode()
        self.assertIn("digest says", self.reason(blob, tag_of(value, blob), layers=[layer]))
        layer = {"digest": root_of("gone"), "size": 4}
        self.assertIn("record is gone", self.reason(blob, tag_of(value, blob), layers=[layer]))

    def test_a_record_is_read_strictly(self):
        def put(path, value):
            def change(it):
                *folders, last = path
                for folder in folders:
                    it = it[folder]
                it[last] = value

            return change

        for member in timeline.OPTIONAL:
            self.refused(f"{member} is missing or not", put(["predicate", member], 7))
        for path, value in (
            (["predicateType"], "https://slsa.dev/provenance/v1"),
            (["subject"], statement(root_of("1.4"))["subject"] * 2),
            (["subject"], []),
            (["predicate", "previous"], ["sha256:12"]),
            (["predicate", "previous"], None),
            (["predicate", "tags"], [{"name": "1.4.0", "kind": "fixed"}]),
            (["predicate", "run"], {"attempt": "2"}),
            (["predicate", "build"], None),
        ):
            self.refused("", put(path, value))
        self.refused("a member twice", of=lambda it: stored(it).replace(b'"tool":', b'"tool":"x","tool":'))
        self.refused("bytes", of=lambda it: stored(it).ljust(timeline.STATEMENT_LIMIT + 1))
        deep = 1
        for _ in range(63):
            deep = [deep]
        self.refused("levels", put(["predicate", "x"], deep))
        summary = {"record": root_of("r"), "action": "push", "root": root_of("x"), "plannedAt": "2026-11-20T09:00:00.000Z"}
        self.refused("summaries", put(["predicate", "past"], [summary] * 33))

    def test_null_and_unknown_members_are_ignored(self):
        value = statement(root_of("1.4"), version=None, commit=None, weather={"sun": [1]})
        blob = stored(value)
        repository = Repository()
        repository.add_entry(blob, tag_of(value, blob))
        self.assertEqual(len(repository.read()["counted"]), 1)


class Served(unittest.TestCase):
    def test_a_registry_is_read_page_by_page(self):
        repository = Repository()
        for minute in range(5):
            repository.named[f"{minute}.0.0"] = repository.add(EMPTY)

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                path, _, query = self.path.partition("?")
                kind, _, name = path.removeprefix("/v2/team/web/").partition("/")
                headers, content = {}, None
                if kind == "tags":
                    tags = sorted(repository.named)
                    last = query.partition("last=")[2]
                    tags = [tag for tag in tags if tag > last]
                    if len(tags) > 3:
                        headers["Link"] = f'</v2/team/web/tags/list?n=3&last={tags[2]}>; rel="next"'
                    content = json.dumps({"name": "team/web", "tags": tags[:3]}).encode()
                elif kind == "manifests":
                    content = repository.blobs.get(repository.named.get(name))
                elif kind == "blobs":
                    content = repository.blobs.get(name)
                self.send_response(200 if content is not None else 404)
                for header, text in headers.items():
                    self.send_header(header, text)
                self.send_header("Content-Length", str(len(content or b"")))
                self.end_headers()
                self.wfile.write(content or b"")

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        address = f"http://127.0.0.1:{server.server_port}/team/web"
        destination = address.removeprefix("http://")
        for minute in range(5):
            value = statement(root_of(f"1.{minute}"), minute=minute, destination=destination)
            blob = stored(value)
            repository.add_entry(blob, tag_of(value, blob), inline=minute < 3)
        place = timeline.open_place(address)
        read = timeline.read_timeline(place, "prod", place.name)
        self.assertEqual(read["passedOver"], [])
        self.assertEqual(len(read["counted"]), 5)
        self.assertEqual(read["current"], root_of("1.4"))
        self.assertEqual(read["previous"], root_of("1.3"))


if __name__ == "__main__":
    unittest.main()
