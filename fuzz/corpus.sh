#!/usr/bin/env bash
# Writes what the 197 rows give as tags, flavor and images to fuzz/corpus/rules, a file each.
set -euo pipefail
cd "$(dirname "$0")"
mkdir -p corpus/rules
python3 - <<'P'
import hashlib, json, pathlib
for line in open("../tests/data/metadata-rows/rows.jsonl", encoding="utf-8"):
    inputs = json.loads(line)["inputs"]
    text = "\0".join(inputs.get(name, "") for name in ("tags", "flavor", "images"))
    name = hashlib.sha1(text.encode()).hexdigest()
    pathlib.Path("corpus/rules", name).write_text(text, encoding="utf-8")
P
