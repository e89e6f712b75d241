#!/usr/bin/env bash
# Prints what the notes of a release say after its changelog: how to use this version, and how to verify it.
#   release-notes.sh VERSION COMMIT REPOSITORY@sha256:DIGEST OWNER/NAME IDENTITY
# COMMIT is that of the tag vVERSION, OWNER/NAME the repository on GitHub, IDENTITY that of the workflow that signed.
set -euo pipefail
[ $# = 5 ] || { sed -n '2,4s/^# //p' "$0" >&2; exit 2; }
version=$1 commit=$2 image=$3 repository=$4 identity=$5
issuer=https://token.actions.githubusercontent.com
cat <<NOTES

### Use this version
| | |
|---|---|
| action | \`uses: $repository@$commit # v$version\` |
| image | \`$image\` |
| binary | \`shipmark-linux-amd64\` or \`shipmark-linux-arm64\` below, or the \`.tar.gz\` of the same name with man page and completions |
| source | \`cargo install --locked --git https://github.com/$repository --rev $commit shipmark\` |

### Verify it
The workflow that built the image signed it:

\`\`\`sh
cosign verify --certificate-oidc-issuer $issuer \\
  --certificate-identity $identity \\
  $image
\`\`\`

\`SHA256SUMS\` names the files below, and is signed in the same way. Either of these verifies it:

\`\`\`sh
cosign verify-blob --bundle SHA256SUMS.sigstore.json \\
  --certificate-oidc-issuer $issuer \\
  --certificate-identity $identity SHA256SUMS
shipmark verify-bundle --bundle SHA256SUMS.sigstore.json --artifact SHA256SUMS \\
  --certificate-oidc-issuer $issuer \\
  --certificate-identity $identity
\`\`\`

Then the files are held against it:

\`\`\`sh
sha256sum --check --ignore-missing SHA256SUMS
\`\`\`
NOTES
