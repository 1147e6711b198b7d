# `make help` lists the targets; the harnesses are in test/Makefile. Tools are pinned in hack/tools and its subfolders, built by the go command
# on first use and kept in its cache; nothing is downloaded but Go modules.

SHELL := /usr/bin/env bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
# The image to build, push and deploy.
IMG ?= cdp-credential-operator:$(VERSION)
KUBECTL ?= kubectl
DOCKER ?= docker
# Where generated files go; hack/verify.sh sets it to a scratch folder and compares.
OUT ?= .

TOOL := go tool -modfile=hack/tools/go.mod
GOLANGCI_LINT := go tool -modfile=hack/tools/lint/go.mod golangci-lint
HELM := go tool -modfile=hack/tools/helm/go.mod helm
TEST_TOOLS := helm helm4 kubeconform

# The same flags as in the Dockerfile: a build depends only on the sources, the Go version and VERSION.
BUILD := CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags "-s -w -buildid= -X main.version=$(VERSION)"

# etcd and kube-apiserver for tests; the first call builds them.
WITH_ENVTEST := assets=$$(hack/envtest/assets.sh) && export KUBEBUILDER_ASSETS=$$assets &&

.PHONY: help
help: ## Show this list
	@awk 'BEGIN {FS = ":.*## "} /^##@ / {printf "\n%s\n", substr($$0, 5)} /^[a-zA-Z0-9_-]+:.*## / {printf "  %-26s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

##@ See it work

.PHONY: demo
demo: ## Show tokens being kept fresh: a real API server, stand-in token endpoints, no cluster and no account
	go run ./hack/demo

.PHONY: run
run: ## Run the manager here, against the cluster of the current kubeconfig
	go run ./cmd/manager --metrics-bind-address=127.0.0.1:8080 --metrics-secure=false

##@ Generate

.PHONY: generate
generate: ## Generate the deep copies of the API types
	@mkdir -p $(OUT)/api/v1alpha1
	$(TOOL) controller-gen object:headerFile=hack/boilerplate.go.txt paths=./api/... output:object:dir=$(OUT)/api/v1alpha1

.PHONY: manifests
manifests: ## Generate the CRD, its JSON schema and the operator's roles
	@mkdir -p $(OUT)/config/crd/bases $(OUT)/config/rbac $(OUT)/config/namespaced/watched
	$(TOOL) controller-gen crd paths=./api/... output:crd:dir=$(OUT)/config/crd/bases
	go run ./hack/jsonschema -o $(OUT)/schemas $(OUT)/config/crd/bases/*.yaml
	$(TOOL) controller-gen rbac:roleName=manager-role paths=./controllers/... output:rbac:dir=$(OUT)/config/rbac
	sed -e 's/^kind: ClusterRole$$/kind: Role/' -e 's/^  name: manager-role$$/  name: cdp-credential-operator-manager-role/' \
	  $(OUT)/config/rbac/role.yaml > $(OUT)/config/namespaced/watched/role.yaml

.PHONY: api-docs
api-docs: ## Generate docs/api.md
	@mkdir -p $(OUT)/docs
	$(TOOL) crd-ref-docs --log-level=ERROR --config=hack/tools/crd-ref-docs/config.yaml --templates-dir=hack/tools/crd-ref-docs \
	  --source-path=./api/v1alpha1 --renderer=markdown --output-path=$(OUT)/docs/api.md

CHART := charts/cdp-credential-operator
.PHONY: chart
chart: ## Copy what the Helm chart has in common with config/ into it
	@mkdir -p $(OUT)/$(CHART)/files
	cp config/crd/bases/cdpcredentials.io_cdpcredentials.yaml $(OUT)/$(CHART)/files/crd.yaml
	sed -n '/^rules:$$/,$$p' config/rbac/role.yaml > $(OUT)/$(CHART)/files/manager-rules.yaml
	sed -n '/^rules:$$/,$$p' config/rbac/leader_election_role.yaml > $(OUT)/$(CHART)/files/leader-election-rules.yaml
	sed -n '/^rules:$$/,$$p' config/rollout-restart/role.yaml > $(OUT)/$(CHART)/files/rollout-restart-rules.yaml
	sed -n '/^rules:$$/,$$p' config/pod-refresh/role.yaml > $(OUT)/$(CHART)/files/pod-refresh-rules.yaml
	sed -n '/^spec:$$/,$$p' config/pod-refresh/policy.yaml > $(OUT)/$(CHART)/files/pod-refresh-policy.yaml
	sed -n '/^spec:$$/,$$p' config/prometheus/rules.yaml > $(OUT)/$(CHART)/files/prometheus-rules.yaml
	cp config/grafana/dashboard.json $(OUT)/$(CHART)/files/dashboard.json

.PHONY: picture
picture: ## Draw docs/images/dashboard.svg from what a real Prometheus sees of an operator in trouble
	mkdir -p docs/images
	go test ./test/watch -count=1 -run 'TestPrometheus$$' -picture $(CURDIR)/docs/images/dashboard.svg

.PHONY: scale-plot
scale-plot: ## Draw docs/images/exchanges-100k.svg: 100,000 credentials over two days, on a fake clock (takes minutes)
	@mkdir -p $(OUT)/docs/images
	go run ./test/schedule -svg $(OUT)/docs/images/exchanges-100k.svg

.PHONY: site
site: ## Build the documentation's site in bin/site (needs Node)
	hack/site.sh build

.PHONY: demo-recording
demo-recording: ## Draw docs/images/demo.svg from a run of the demo (needs Node and Linux; takes minutes)
	PATH="$$(hack/envtest/assets.sh):$$PATH" hack/site.sh record

##@ Check

.PHONY: fmt
fmt: ## Format the code
	$(GOLANGCI_LINT) fmt

.PHONY: license
license: ## Put the license header on the Go files that lack it
	hack/license.sh

.PHONY: vet
vet: ## Run go vet
	go vet ./...

.PHONY: lint
lint: ## Run the linters
	$(GOLANGCI_LINT) run
	$(TOOL) logcheck -check-contextual ./...
	$(TOOL) actionlint # the workflows in .github

.PHONY: verify
verify: ## Fail if a generated file, a go.mod or the formatting is stale (changes nothing)
	hack/verify.sh

.PHONY: vulncheck
vulncheck: ## Look for known vulnerabilities that our code can reach
	hack/vulncheck.sh

.PHONY: verify-reproducible
verify-reproducible: ## Make a release twice, in different folders, and compare
	hack/reproducible.sh "$(VERSION)"

##@ Test

.PHONY: test
test: ## Run all tests (the first run fetches or builds etcd and kube-apiserver: seconds to minutes)
	for tool in $(TEST_TOOLS); do go tool -modfile=hack/tools/$$tool/go.mod -n $${tool%4} >/dev/null; done # builds them; otherwise a test would have to
	hack/prometheus.sh >/dev/null # likewise
	$(WITH_ENVTEST) go test -timeout 20m $$(go list ./... | grep -v '/test/soak$$')
	$(WITH_ENVTEST) go test -timeout 20m ./test/soak # alone: it judges how soon things happen
	cd hack/release && go test ./...
	cd test/interop && go test -timeout 10m ./...
	$(WITH_ENVTEST) cd test/gitops && go test -timeout 10m ./...

.PHONY: test-race
test-race: ## Run all tests under the race detector (needs a C compiler)
	$(WITH_ENVTEST) CGO_ENABLED=1 go test -race -timeout 40m ./...

# The harnesses: parts of `make test` on their own, simulations, measurements and long runs. Without test/, as in a part of a clone, the rest works.
-include test/Makefile

##@ Build

BINARY ?= bin/manager
.PHONY: build
build: ## Build bin/manager
	$(BUILD) -o $(BINARY) ./cmd/manager

CLI ?= bin/kubectl-cdpcred
.PHONY: build-cli
build-cli: ## Build bin/kubectl-cdpcred, the kubectl plugin
	$(BUILD) -o $(CLI) ./cmd/kubectl-cdpcred

.PHONY: docker-build
docker-build: ## Build the image IMG
	$(DOCKER) build --build-arg VERSION=$(VERSION) -t $(IMG) .

.PHONY: docker-push
docker-push: ## Push the image IMG
	$(DOCKER) push $(IMG)

.PHONY: clean
clean: ## Remove bin/ and dist/ (the envtest binaries stay in the user's cache folder)
	rm -rf bin dist

##@ Deploy to the cluster of the current kubeconfig

.PHONY: install
install: ## Install the CRD only
	$(TOOL) kustomize build config/crd | $(KUBECTL) apply --server-side -f -

.PHONY: uninstall
uninstall: ## Remove the CRD, every CDPCredential and with them their Secrets
	$(TOOL) kustomize build config/crd | $(KUBECTL) delete --ignore-not-found -f -

# Overlays are written to bin/, so that setting an image changes no file of the repository.
.PHONY: overlay
overlay:
	rm -rf bin/deploy && mkdir -p bin/deploy
	printf 'resources: [../../config/default]\n' > bin/deploy/kustomization.yaml
	sed -n '/^sortOptions:/,$$p' config/default/kustomization.yaml >> bin/deploy/kustomization.yaml
	cd bin/deploy && go tool -modfile=../../hack/tools/go.mod kustomize edit set image controller=$(IMG)

.PHONY: deploy
deploy: overlay ## Install the operator with the image IMG
	$(TOOL) kustomize build bin/deploy | $(KUBECTL) apply --server-side -f -

.PHONY: undeploy
undeploy: ## Remove the operator, its CRD, every CDPCredential and with them their Secrets
	$(TOOL) kustomize build config/default | $(KUBECTL) delete --ignore-not-found -f -

NAMESPACES ?= default
.PHONY: overlay-namespaced
overlay-namespaced:
	mkdir -p bin && hack/namespaced.sh $(NAMESPACES)
	cd bin/deploy-namespaced && go tool -modfile=../../hack/tools/go.mod kustomize edit set image controller=$(IMG)

.PHONY: deploy-namespaced
deploy-namespaced: overlay-namespaced ## Install it with rights in NAMESPACES (comma-separated) only
	$(TOOL) kustomize build bin/deploy-namespaced | $(KUBECTL) apply --server-side -f -

.PHONY: undeploy-namespaced
undeploy-namespaced: overlay-namespaced ## Remove what deploy-namespaced installed, CDPCredentials included
	$(TOOL) kustomize build bin/deploy-namespaced | $(KUBECTL) delete --ignore-not-found -f -

##@ Release

DIST ?= dist
INSTALLER ?= $(DIST)/install.yaml
.PHONY: build-installer
build-installer: overlay ## Write dist/install.yaml, the operator with the image IMG in one file
	mkdir -p $(dir $(INSTALLER))
	$(TOOL) kustomize build bin/deploy > $(INSTALLER)

.PHONY: build-installer-namespaced
build-installer-namespaced: overlay-namespaced ## Write dist/install-namespaced.yaml, the same with rights in NAMESPACES only
	mkdir -p $(DIST)
	$(TOOL) kustomize build bin/deploy-namespaced > $(DIST)/install-namespaced.yaml

.PHONY: build-crd
build-crd: ## Write dist/crd.yaml, the CRD only
	mkdir -p $(DIST)
	$(TOOL) kustomize build config/crd > $(DIST)/crd.yaml

.PHONY: chart-package
chart-package: ## Write dist/cdp-credential-operator-VERSION.tgz, the Helm chart with the image IMG
	hack/chart-package.sh '$(VERSION)' '$(IMG)' '$(DIST)'

# Where the release's image and chart are published.
REGISTRY ?= ghcr.io/cdpcredentials
RELEASE := VERSION=$(VERSION) REGISTRY=$(REGISTRY) DIST=$(DIST)

.PHONY: bundle
bundle: overlay ## Write dist/bundle, for the Operator Lifecycle Manager, with the image IMG; validated by Operator Framework's library
	mkdir -p $(DIST)
	cd hack/tools/olm && go build -o $(CURDIR)/bin/olm .
	$(TOOL) kustomize build bin/deploy | bin/olm -version '$(VERSION)' -samples config/samples -icon docs/images/logo.svg -o $(DIST)/bundle

.PHONY: release
release: ## Write dist/: image (OCI layout), manifests, chart, kubectl plugin, SBOMs, notes, checksums of the release VERSION=v1.2.3
	$(RELEASE) hack/release/build.sh '$(VERSION)'

.PHONY: release-publish
release-publish: ## Push the image and the chart of dist/ to REGISTRY
	$(RELEASE) hack/release/publish.sh '$(VERSION)'

.PHONY: release-sign
release-sign: ## Sign them, and the checksums, with cosign: with the key COSIGN_KEY, or keyless in the workflow; attach provenance and SBOMs
	$(RELEASE) hack/release/sign.sh '$(VERSION)'

.PHONY: release-verify
release-verify: ## Verify all signatures, provenance, SBOMs and checksums, with the key COSIGN_PUB or as the workflow's
	$(RELEASE) hack/release/verify.sh '$(VERSION)'
