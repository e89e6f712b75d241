# The action's image: one static binary and the CA certificates, nothing else.
# The stage runs on the platform that is built for, so the compiler's own target is the right one for amd64 and arm64.
# The digest is of the index of all platforms. Change it with the tag, which is for people to read.
FROM rust:1.95.0-bookworm@sha256:6258907abe69656e41cd992e0b705cdcfabcbbe3db374f92ed2d47121282d4a1 AS build
# The SBOM tells what was compiled in, which the final stage does not show.
ARG BUILDKIT_SBOM_SCAN_STAGE=true
WORKDIR /src
COPY Cargo.toml Cargo.lock ./
COPY .cargo/config.toml .cargo/
COPY scripts/static-build.sh scripts/
COPY src src
RUN mkdir -p /out/etc/ssl/certs \
 && cp /etc/ssl/certs/ca-certificates.crt /out/etc/ssl/certs/ \
 && cp "$(scripts/static-build.sh)" /out/shipmark

# No USER: what the runner mounts under /github belongs to root, as does the Docker socket.
FROM scratch
ARG REVISION=unknown
ARG VERSION=unknown
LABEL org.opencontainers.image.title="shipmark" \
      org.opencontainers.image.description="Names, pushes, promotes and reports container images by digest" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.revision="$REVISION" \
      org.opencontainers.image.version="$VERSION"
COPY --from=build /out/ /
ENTRYPOINT ["/shipmark"]
