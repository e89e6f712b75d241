#!/usr/bin/env bash
# Writes the seeds of the targets to fuzz/corpus: the tags, flavor and images of the 197 rows, one file per row, the
# recorded signatures of cosign, the archives, layouts and manifests of the fixtures, a release record with the
# name of its entry, the scan reports up to 64 KiB, and the VEX documents.
set -euo pipefail
cd "$(dirname "$0")"
mkdir -p corpus/archive corpus/layout corpus/rules corpus/bundle corpus/payload corpus/trusted_root corpus/manifest corpus/record corpus/scan_report corpus/vex
python3 - <<'P'
import base64, hashlib, json, pathlib
for line in open("../tests/data/metadata-rows/rows.jsonl", encoding="utf-8"):
    inputs = json.loads(line)["inputs"]
    text = "\0".join(inputs.get(name, "") for name in ("tags", "flavor", "images"))
    name = hashlib.sha1(text.encode()).hexdigest()
    pathlib.Path("corpus/rules", name).write_text(text, encoding="utf-8")
for path in pathlib.Path("../tests/data/sigstore").glob("*key*.json"):
    record = json.loads(path.read_text())
    if "bundle" in record:
        pathlib.Path("corpus/bundle", path.name).write_text(json.dumps(record["bundle"]))
    else:
        pathlib.Path("corpus/payload", path.name).write_bytes(base64.b64decode(record["payload"]))
        if entry := record["annotations"].get("dev.sigstore.cosign/bundle"):
            pathlib.Path("corpus/payload", path.stem + ".entry").write_text(entry)
P
cp ../tests/data/images/*.tar ../tests/data/images/*.tar.gz ../tests/data/images/broken/*.tar ../tests/data/archives/*.tar* corpus/archive/
for layout in ../tests/data/images/*/index.json; do
  name=$(basename "$(dirname "$layout")")
  for blob in "$(dirname "$layout")"/blobs/sha256/*; do
    [ "$(head -c1 "$blob")" = "{" ] || continue
    hex=$(basename "$blob")
    cp "$blob" "corpus/manifest/$name-${hex:0:12}"
    { sed "s/sha256:$hex/@/g" "$layout"; printf '\0'; cat "$blob"; } >"corpus/layout/$name-${hex:0:12}"
  done
done
cp ../tests/data/sigstore/trusted_root.json corpus/trusted_root/
cp ../tests/data/records/release.json corpus/record/
printf 'shipmark.prod.20261120t214808123z.rollback.4813494d137e.cdef01234567' >corpus/record/name
find ../tests/data/reports -mindepth 2 -type f -size -64k | while read -r report; do
  name=${report#../tests/data/reports/}
  case $name in
  openvex/* | *.openvex.json) cp "$report" "corpus/vex/${name//\//-}" ;;
  *) cp "$report" "corpus/scan_report/${name//\//-}" ;;
  esac
done
