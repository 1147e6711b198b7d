# Builds what the image of `make release`, which needs no container engine, holds: the same binaries, by the same flags and without cgo,
# and the same few files (hack/release/rootfs.go) instead of a base image.
FROM --platform=$BUILDPLATFORM golang:1.26.8 AS build
WORKDIR /src
COPY hack/release hack/release
RUN cd hack/release && go run . rootfs /rootfs
COPY go.mod go.sum ./
RUN go mod download
COPY api api
COPY cmd cmd
COPY controllers controllers
COPY internal internal
# BuildKit sets these two; a default here would take precedence over its value.
ARG TARGETOS
ARG TARGETARCH
ARG VERSION=dev
RUN CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH \
    go build -trimpath -buildvcs=false -ldflags "-s -w -buildid= -X main.version=$VERSION" -o /programs/ ./cmd/manager ./cmd/kubectl-cdpcred

FROM scratch
COPY --from=build /rootfs/ /
COPY --from=build /programs/kubectl-cdpcred /kubectl-cdpcred
COPY --from=build /programs/manager /manager
USER 65532:65532
ENTRYPOINT ["/manager"]
