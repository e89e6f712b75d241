#!/usr/bin/env bash
# Lets release.yml of acme/ci act as a service account of Google Cloud, called by acme/web alone.
set -euo pipefail
project=acme-production number=123456789012
workflow=acme/ci/.github/workflows/release.yml@6f1d9c0b7a3e5d2c4b8a9e0f1d2c3b4a5e6f7081
repository_id=987654321 # of acme/web: a name can be registered again, an id cannot
account=release@$project.iam.gserviceaccount.com

# google.subject has at most 127 bytes, which the subject of GitHub's token can exceed.
gcloud iam workload-identity-pools providers create-oidc release --project "$project" --location global \
  --workload-identity-pool github --issuer-uri https://token.actions.githubusercontent.com \
  --attribute-mapping 'google.subject=assertion.repository_id,attribute.job_workflow_ref=assertion.job_workflow_ref' \
  --attribute-condition "assertion.repository_id == '$repository_id' && assertion.job_workflow_ref == '$workflow'"
gcloud iam service-accounts add-iam-policy-binding "$account" --project "$project" \
  --role roles/iam.workloadIdentityUser \
  --member "principalSet://iam.googleapis.com/projects/$number/locations/global/workloadIdentityPools/github/attribute.job_workflow_ref/$workflow"
