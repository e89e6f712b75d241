#!/usr/bin/env python3
"""Reads a timeline of release records by docs/formats.md alone, and prints its state as JSON.

    timeline.py --environment prod [--repository NAME] [--entries PLACE] [--signed] PLACE

PLACE is the directory of an OCI image layout, or http://HOST:PORT/REPOSITORY (https:// too) without a login.
NAME is the repository as its records name it; by default HOST:PORT/REPOSITORY, or the name of the directory.
With --entries the timeline's entries are in another place. With --signed a record without a signature does not
count. No signature is checked: the output says so for each record.
"""

import argparse
import base64
import binascii
import datetime
import hashlib
import json
import os
import re
import sys
import urllib.error
import urllib.parse
import urllib.request

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "https://shipmark.dev/attestation/release/v0.1"
ENTRY_TYPE = "application/vnd.shipmark.timeline-entry.v0.1"
PAYLOAD_TYPE = "application/vnd.in-toto+json"
MANIFEST_TYPES = "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json, */*"
SAME = ("action", "root", "plannedAt", "restores", "reinstates", "previous", "version", "commit", "actor", "hold")
RELEASES = ("push", "promote", "adopt", "reinstate")
STATEMENT_LIMIT, BLOB_LIMIT, MANIFEST_LIMIT = 1 << 20, 2 << 20, 8 << 20
DEPTH_LIMIT, PAST_LIMIT, LAYER_LIMIT = 64, 32, 9
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
HEX = re.compile(r"[0-9a-f]{64}")
ENVIRONMENT = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
ACTION = re.compile(r"[a-z]{1,16}")
TIME = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)\.(\d{3})Z", re.ASCII)
TAG_TIME = re.compile(r"(\d{4})(\d\d)(\d\d)t(\d\d)(\d\d)(\d\d)(\d{3})z", re.ASCII)
NAME = re.compile(r"shipmark\.([a-z0-9-]+)\.([0-9tz]+)\.([a-z]+)\.([0-9a-f]{12})\.([0-9a-f]{12})")


class DoesNotCount(Exception):
    """Reason why an entry does not count."""


def digest_of(content):
    return "sha256:" + hashlib.sha256(content).hexdigest()


# JSON with one meaning


def depth_of(value):
    """Returns how many levels of lists and objects a value has."""
    depth, level = 0, [value]
    while level:
        level = [element for element in level if isinstance(element, (list, dict))]
        depth += bool(level)
        level = [inner for outer in level for inner in (outer.values() if isinstance(outer, dict) else outer)]
    return depth


def read_json(content, what, limit):
    if len(content) > limit:
        raise DoesNotCount(f"{what} has {len(content)} bytes")

    def object_of(pairs):
        members = dict(pairs)
        if len(members) != len(pairs):
            raise DoesNotCount(f"{what} has a member twice")
        return members

    def constant(name):
        raise DoesNotCount(f"{what} has {name}, which is not JSON")

    try:
        value = json.loads(content.decode("utf-8"), object_pairs_hook=object_of, parse_constant=constant)
        json.dumps(value, ensure_ascii=False).encode("utf-8")  # half of a surrogate pair is no text
    except (ValueError, RecursionError) as error:
        raise DoesNotCount(f"{what} is not JSON: {error}") from None
    if depth_of(value) > DEPTH_LIMIT:
        raise DoesNotCount(f"{what} has more than {DEPTH_LIMIT} levels")
    return value


# Values of a record


def text(value):
    return isinstance(value, str)


def number(value):
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 64


def digest(value):
    return text(value) and DIGEST.fullmatch(value) is not None


def environment(value):
    return text(value) and ENVIRONMENT.fullmatch(value) is not None


def action(value):
    return text(value) and ACTION.fullmatch(value) is not None


def time_parts(value, form):
    """Returns a time as its digits; None if it is another form or no time."""
    match = form.fullmatch(value) if text(value) else None
    if match is None:
        return None
    year, month, day, hour, minute, second, millisecond = map(int, match.groups())
    try:
        datetime.datetime(year, month, day, hour, minute, second, millisecond * 1000)
    except ValueError:
        return None
    return "".join(match.groups())


def time(value):
    return time_parts(value, TIME) is not None


def kind(value):
    return value in ("immutable", "line", "environment", "moving")


def a_list(check):
    def checked(value):
        return isinstance(value, list) and all(check(element) for element in value)

    checked.takes_null = False
    return checked


def an_object(required, optional, takes_null=True):
    """Returns the check of an object. Members that it does not name are ignored."""

    def checked(value):
        return isinstance(value, dict) and next(wrong_members(value, required, optional), None) is None

    checked.takes_null = takes_null
    return checked


def wrong_members(value, required, optional):
    """Returns the names of the members that are missing or not as the format has them."""
    for name, check in required.items():
        if name not in value or not check(value[name]):
            yield name
    for name, check in optional.items():
        is_absent = name not in value or value[name] is None and getattr(check, "takes_null", True)
        if not is_absent and not check(value[name]):
            yield name


PAST = {"record": digest, "action": action, "root": digest, "plannedAt": time}
REQUIRED = {"environment": environment, "destination": text, "action": action, "tool": text, "plannedAt": time}
OPTIONAL = {
    "version": text,
    "tags": a_list(an_object({"name": text, "kind": kind}, {"previous": digest})),
    "source": an_object({"uri": text}, {"environment": environment, "record": digest}),
    "commit": an_object({"sha": text}, {"repository": text, "ref": text, "committedAt": text}),
    "build": an_object({}, {"dockerfile": text, "target": text, "from": text}, takes_null=False),
    "evidence": a_list(
        an_object(
            {"kind": text, "digest": digest},
            {"mediaType": text, "size": number, "uri": text, "tool": text, "result": text, "by": text},
        )
    ),
    "policy": an_object({"uri": text, "digest": digest}, {"commit": text}),
    "run": an_object(
        {},
        {
            "uri": text,
            "attempt": number,
            "actor": text,
            "workflow": text,
            "approvals": a_list(an_object({"user": text, "environment": text, "state": text}, {"comment": text})),
        },
    ),
    "reason": text,
    "link": text,
    "about": digest,
    "restores": digest,
    "reinstates": a_list(digest),
    "hold": text,
    "deletions": a_list(an_object({"digest": digest, "reason": text}, {"tags": a_list(text), "rule": text})),
    "previous": a_list(digest),
    "past": a_list(an_object(PAST, {"version": text, "commit": text, "actor": text, "restores": digest, "hold": text})),
}


def read_statement(content):
    """Returns the root and the predicate of a release record."""
    statement = read_json(content, "the record", STATEMENT_LIMIT)
    if not isinstance(statement, dict):
        raise DoesNotCount("the record is no statement")
    for member, expected in (("_type", STATEMENT_TYPE), ("predicateType", PREDICATE_TYPE)):
        if statement.get(member) != expected:
            raise DoesNotCount(f"{member} is {statement.get(member)!r}, expected {expected}")
    subjects, predicate = statement.get("subject"), statement.get("predicate")
    if not isinstance(subjects, list) or len(subjects) != 1:
        raise DoesNotCount("the record has another number of subjects than one")
    subject = subjects[0]
    named = subject.get("digest") if isinstance(subject, dict) else None
    if not isinstance(named, dict) or not text(named.get("sha256")) or not HEX.fullmatch(named["sha256"]):
        raise DoesNotCount("the subject has no sha256 digest")
    if not isinstance(predicate, dict):
        raise DoesNotCount("the record has no predicate")
    for name in wrong_members(predicate, REQUIRED, OPTIONAL):
        raise DoesNotCount(f"{name} is missing or not as the format has it")
    if subject.get("name") != predicate["destination"]:
        raise DoesNotCount(f"the subject is in {subject.get('name')!r}, and destination is another place")
    if len(predicate.get("past", [])) > PAST_LIMIT:
        raise DoesNotCount(f"past has more than {PAST_LIMIT} summaries")
    return "sha256:" + named["sha256"], predicate


def read_blob(blob, is_signed_environment):
    """Returns root, predicate and how the record is signed, of a stored blob."""
    if len(blob) > BLOB_LIMIT:
        raise DoesNotCount(f"the record has {len(blob)} bytes")
    try:
        stored = json.loads(blob)
    except (ValueError, RecursionError):
        stored = None
    if not isinstance(stored, dict) or "dsseEnvelope" not in stored:
        if is_signed_environment:
            raise DoesNotCount("it is not signed")
        return *read_statement(blob), "none"
    envelope = read_json(blob, "the bundle", BLOB_LIMIT)["dsseEnvelope"]
    if not isinstance(envelope, dict) or envelope.get("payloadType") != PAYLOAD_TYPE:
        raise DoesNotCount("the bundle signs no in-toto statement")
    if not isinstance(envelope.get("signatures"), list) or not envelope["signatures"]:
        raise DoesNotCount("the bundle has no signature")
    try:
        payload = base64.b64decode(envelope.get("payload", ""), validate=True)
    except (TypeError, ValueError, binascii.Error):
        raise DoesNotCount("the payload of the bundle is not base64") from None
    return *read_statement(payload), "signature not checked"


# Places


class Layout:
    """Image layout on disk."""

    def __init__(self, path):
        self.path = path
        self.name = os.path.basename(os.path.realpath(path))
        with open(os.path.join(path, "index.json"), "rb") as file:
            index = json.load(file)
        self.named = {}
        for manifest in index.get("manifests") or []:
            tag = (manifest.get("annotations") or {}).get("org.opencontainers.image.ref.name")
            if tag is not None:
                self.named[tag] = manifest["digest"]

    def tags(self):
        return list(self.named)

    def blob(self, wanted):
        if not digest(wanted):
            return None
        try:
            with open(os.path.join(self.path, "blobs", *wanted.split(":")), "rb") as file:
                return file.read(MANIFEST_LIMIT + 1)
        except FileNotFoundError:
            return None

    def manifest(self, tag):
        content = self.blob(self.named[tag])
        if content is not None and digest_of(content) != self.named[tag]:
            raise DoesNotCount("its manifest is damaged")
        return content


class Registry:
    """Repository of a registry that needs no login."""

    def __init__(self, address):
        parts = urllib.parse.urlsplit(address)
        self.host = f"{parts.scheme}://{parts.netloc}"
        self.repository = parts.path.strip("/")
        self.name = f"{parts.netloc}/{self.repository}"
        self.opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def get(self, url, accept="*/*"):
        request = urllib.request.Request(urllib.parse.urljoin(self.host, url), headers={"Accept": accept})
        try:
            with self.opener.open(request, timeout=60) as answer:
                return answer.read(MANIFEST_LIMIT + 1), answer.headers
        except urllib.error.HTTPError as error:
            if error.code == 404:
                return None, error.headers
            raise

    def tags(self):
        tags, url, seen = [], f"{self.host}/v2/{self.repository}/tags/list?n=1000", set()
        while url and url not in seen:
            seen.add(url)
            content, headers = self.get(url)
            if content is None:
                return tags
            tags += json.loads(content).get("tags") or []
            following = re.search(r'<([^>]+)>\s*;[^,]*rel="?next"?', headers.get("Link") or "")
            url = following and urllib.parse.urljoin(url, following[1])
        return sorted(set(tags))

    def manifest(self, tag):
        return self.get(f"/v2/{self.repository}/manifests/{tag}", MANIFEST_TYPES)[0]

    def blob(self, wanted):
        return self.get(f"/v2/{self.repository}/blobs/{wanted}")[0] if digest(wanted) else None


def open_place(address):
    return Registry(address) if address.startswith(("http://", "https://")) else Layout(address)


# Entries


def read_name(tag):
    """Returns the parts of an entry's tag; None if the tag is no entry."""
    match = NAME.fullmatch(tag)
    if match is None:
        return None
    of, planned, what, root, record = match.groups()
    if not environment(of) or not action(what) or time_parts(planned, TAG_TIME) is None:
        return None
    return {"tag": tag, "environment": of, "time": planned, "record": record}


def entry_tag(root, predicate, record):
    digits = time_parts(predicate["plannedAt"], TIME)
    parts = (
        predicate["environment"],
        f"{digits[:8]}t{digits[8:]}z",
        predicate["action"],
        root[7:19],
        record[7:19],
    )
    return "shipmark." + ".".join(parts)


def read_record_layer(place, tag):
    """Returns the stored record of an entry."""
    content = place.manifest(tag)
    if content is None:
        raise DoesNotCount("it is gone")
    manifest = read_json(content, "the manifest", MANIFEST_LIMIT)
    if not isinstance(manifest, dict) or manifest.get("artifactType") != ENTRY_TYPE:
        raise DoesNotCount("it is no timeline entry")
    if manifest.get("subject") is not None:
        raise DoesNotCount("it has a subject")
    layers = manifest.get("layers")
    if not isinstance(layers, list) or not 1 <= len(layers) <= LAYER_LIMIT:
        raise DoesNotCount("it has another number of layers than 1 to 9")
    layer = layers[0]
    if not isinstance(layer, dict) or not digest(layer.get("digest")) or not number(layer.get("size")):
        raise DoesNotCount("its layer is no descriptor")
    if layer["size"] > BLOB_LIMIT:
        raise DoesNotCount(f"the record has {layer['size']} bytes")
    if layer.get("data") is not None:
        try:
            blob = base64.b64decode(layer["data"], validate=True)
        except (TypeError, ValueError, binascii.Error):
            raise DoesNotCount("its data is not base64") from None
    else:
        blob = place.blob(layer["digest"])
    if blob is None:
        raise DoesNotCount("its record is gone")
    if len(blob) != layer["size"] or digest_of(blob) != layer["digest"]:
        raise DoesNotCount("its record is not what its digest says")
    return blob


def read_entry(place, tag, asked, repository, is_signed_environment):
    """Returns what order and state depend on, of an entry that counts."""
    blob = read_record_layer(place, tag)
    root, predicate, signature = read_blob(blob, is_signed_environment)
    if predicate["environment"] != asked:
        raise DoesNotCount(f"it is of the environment {predicate['environment']}")
    if predicate["destination"] != repository:
        raise DoesNotCount(f"its destination is {predicate['destination']}")
    record = digest_of(blob)
    if tag != entry_tag(root, predicate, record):
        raise DoesNotCount(f"its record has the tag {entry_tag(root, predicate, record)}")
    return {
        "tag": tag,
        "record": record,
        "root": root,
        "action": predicate["action"],
        "plannedAt": predicate["plannedAt"],
        "version": predicate.get("version"),
        "restores": predicate.get("restores"),
        "reinstates": predicate.get("reinstates", []),
        "previous": predicate.get("previous", []),
        "commit": (predicate.get("commit") or {}).get("sha"),
        "actor": (predicate.get("run") or {}).get("actor"),
        "hold": predicate.get("hold"),
        "past": [summary["record"] for summary in predicate.get("past", [])],
        "signature": signature,
    }


# State


def order(entry):
    return entry["plannedAt"], entry["record"]


def is_release(entry):
    return entry["action"] in RELEASES


def sets(entry):
    if entry["action"] == "rollback":
        return entry["restores"]
    return entry["root"] if is_release(entry) else None


def is_same(one, other):
    """Returns whether two entries are one record, which somebody has stored again under another id."""
    return all(one[member] == other[member] for member in SAME)


def is_ended(rollback, entries):
    ids = {entry["record"] for entry in entries if is_same(entry, rollback)}
    return any(
        entry["action"] == "reinstate"
        and entry["root"] == rollback["root"]
        and order(entry) > order(rollback)
        and not ids.isdisjoint(entry["reinstates"])
        for entry in entries
    )


def withdrawn_roots(entries):
    rollbacks = [entry for entry in entries if entry["action"] == "rollback"]
    return {rollback["root"] for rollback in rollbacks if not is_ended(rollback, entries)}


def current_root(entries, withdrawn):
    for entry in reversed(entries):
        root = sets(entry)
        if root is not None and root not in withdrawn:
            return root
    return None


def mark(root, entries):
    marks = [entry["action"] for entry in entries if entry["root"] == root and entry["action"] in ("deployed", "failed")]
    return marks[-1] if marks else None


def known_good(root, entries, withdrawn):
    """Returns the root that a rollback of `root` would put back by default."""
    releases = [entry for entry in entries if is_release(entry)]
    own = [entry for entry in releases if entry["root"] == root]
    if not own:
        return None
    before = [
        entry
        for entry in releases
        if order(entry) < order(own[-1]) and entry["root"] != root and entry["root"] not in withdrawn
    ]
    for wanted in ("deployed", None):
        for is_adopted in (False, True):
            matching = [
                earlier["root"]
                for earlier in before
                if mark(earlier["root"], entries) == wanted and (earlier["action"] == "adopt") == is_adopted
            ]
            if matching:
                return matching[-1]
    return None


def holds(entries):
    """Returns the holds that are in effect, as pairs of name and root."""
    found = []
    for entry in entries:
        hold = (entry["hold"], entry["root"])
        if entry["action"] in ("hold", "unhold") and entry["hold"] is not None:
            found = [one for one in found if one != hold]
            if entry["action"] == "hold":
                found.append(hold)
    return found


def heads(entries):
    named = {record for entry in entries for record in entry["previous"] + entry["past"]}
    return [entry["record"] for entry in entries if entry["record"] not in named]


def read_timeline(place, asked, repository, is_signed_environment=False):
    """Returns the timeline of an environment: its counted entries, its state, and what does not count."""
    counted, passed_over = [], []
    names = [read_name(tag) for tag in place.tags()]
    names = [name for name in names if name and name["environment"] == asked]
    for name in sorted(names, key=lambda name: (name["time"], name["record"])):
        try:
            counted.append(read_entry(place, name["tag"], asked, repository, is_signed_environment))
        except DoesNotCount as reason:
            passed_over.append({"tag": name["tag"], "reason": str(reason)})
    counted.sort(key=order)
    withdrawn = withdrawn_roots(counted)
    current = current_root(counted, withdrawn)
    there = {entry["record"] for entry in counted}
    named = {record for entry in counted for record in entry["previous"] + entry["past"]}
    return {
        "environment": asked,
        "repository": repository,
        "current": current,
        "previous": None if current is None else known_good(current, counted, withdrawn),
        "withdrawn": sorted(withdrawn),
        "holds": sorted(holds(counted)),
        "heads": heads(counted),
        "missing": sorted(named - there),
        "counted": counted,
        "passedOver": passed_over,
    }


def main(arguments):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("place")
    parser.add_argument("--environment", required=True)
    parser.add_argument("--repository")
    parser.add_argument("--entries")
    parser.add_argument("--signed", action="store_true")
    given = parser.parse_args(arguments)
    repository = given.repository or open_place(given.place).name
    place = open_place(given.entries or given.place)
    timeline = read_timeline(place, given.environment, repository, given.signed)
    json.dump(timeline, sys.stdout, indent=2)
    print()


if __name__ == "__main__":
    main(sys.argv[1:])
