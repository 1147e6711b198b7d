# `make help` lists what there is. Tools are pinned in hack/tools (and its helm/, lint/ and sbom/), built by the go command on first use
# and kept in its cache; nothing is downloaded but Go modules.

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
CYCLONEDX_GOMOD := go tool -modfile=hack/tools/sbom/go.mod cyclonedx-gomod

# The same flags as in the Dockerfile: a build depends on the sources, the Go version and VERSION, and on nothing else.
BUILD := CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags "-s -w -buildid= -X main.version=$(VERSION)"

.PHONY: help
help: ## Show this list
	@awk 'BEGIN {FS = ":.*## "} /^##@ / {printf "\n%s\n", substr($$0, 5)} /^[a-zA-Z0-9_-]+:.*## / {printf "  %-20s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

##@ See it work

.PHONY: demo
demo: ## Show tokens being kept fresh: a real API server, stand-in token endpoints, no cluster and no account
	go run ./hack/demo

N ?= 200
DURATION ?= 15m
SEED ?= 0
SOAK ?=
.PHONY: soak
soak: ## Run N (200) short-lived credentials for DURATION (15m) while all around them misbehaves by SEED (by chance)
	go run ./test/soak -credentials $(N) -duration $(DURATION) -seed $(SEED) $(SOAK)

RUNS ?= 1
PROFILE ?=
BENCH ?=
.PHONY: bench
bench: ## Measure N (1000 unless set) credentials, medians of RUNS (1) runs; PROFILE=cpu|heap writes bench-cpu.pprof or bench-heap.pprof; BENCH='-namespaces 1 -apply 1000'
	go run ./test/bench $(if $(filter-out file,$(origin N)),-credentials $(N)) -runs $(RUNS) $(if $(PROFILE),-profile $(PROFILE)) $(BENCH)

.PHONY: bench-hostile
bench-hostile: ## Throw the costliest answers, keys, objects and Secrets at the manager, and measure its memory and honest renewals (minutes)
	go run ./test/hostile

.PHONY: scale-plot
scale-plot: ## Draw docs/images/exchanges-100k.svg: 100,000 credentials over two days, on a fake clock (takes minutes)
	@mkdir -p $(OUT)/docs/images
	go run ./test/schedule -svg $(OUT)/docs/images/exchanges-100k.svg

##@ Generate

.PHONY: generate
generate: ## Generate the deep copies of the API types
	@mkdir -p $(OUT)/api/v1alpha1
	$(TOOL) controller-gen object:headerFile=hack/boilerplate.go.txt paths=./api/... output:object:dir=$(OUT)/api/v1alpha1

.PHONY: manifests
manifests: ## Generate the resource definition and the operator's roles
	@mkdir -p $(OUT)/config/crd/bases $(OUT)/config/rbac $(OUT)/config/namespaced/watched
	$(TOOL) controller-gen crd paths=./api/... output:crd:dir=$(OUT)/config/crd/bases
	$(TOOL) controller-gen rbac:roleName=manager-role paths=./controllers/... output:rbac:dir=$(OUT)/config/rbac
	sed -e 's/^kind: ClusterRole$$/kind: Role/' -e 's/^  name: manager-role$$/  name: cdp-credential-operator-manager-role/' \
	  $(OUT)/config/rbac/role.yaml > $(OUT)/config/namespaced/watched/role.yaml

CHART := charts/cdp-credential-operator
.PHONY: chart
chart: ## Copy what the Helm chart has in common with config/ into it
	@mkdir -p $(OUT)/$(CHART)/files
	cp config/crd/bases/cdpcredentials.io_cdpcredentials.yaml $(OUT)/$(CHART)/files/crd.yaml
	sed -n '/^rules:$$/,$$p' config/rbac/role.yaml > $(OUT)/$(CHART)/files/manager-rules.yaml
	sed -n '/^rules:$$/,$$p' config/rbac/leader_election_role.yaml > $(OUT)/$(CHART)/files/leader-election-rules.yaml
	sed -n '/^rules:$$/,$$p' config/rollout-restart/role.yaml > $(OUT)/$(CHART)/files/rollout-restart-rules.yaml
	sed -n '/^spec:$$/,$$p' config/prometheus/rules.yaml > $(OUT)/$(CHART)/files/prometheus-rules.yaml
	cp config/grafana/dashboard.json $(OUT)/$(CHART)/files/dashboard.json

.PHONY: api-docs
api-docs: ## Generate docs/api.md
	@mkdir -p $(OUT)/docs
	$(TOOL) crd-ref-docs --log-level=ERROR --config=hack/tools/crd-ref-docs.yaml --source-path=./api/v1alpha1 --renderer=markdown --output-path=$(OUT)/docs/api.md

##@ Check

.PHONY: fmt
fmt: ## Format the code
	$(GOLANGCI_LINT) fmt

.PHONY: vet
vet: ## Run go vet
	go vet ./...

.PHONY: lint
lint: ## Run the linters
	$(GOLANGCI_LINT) run
	$(TOOL) logcheck -check-contextual ./...

.PHONY: verify
verify: ## Fail if a generated file, a go.mod or the formatting is stale (changes nothing)
	hack/verify.sh

.PHONY: test
test: ## Run all tests (the first run fetches or builds etcd and kube-apiserver: seconds to minutes)
	$(HELM) version >/dev/null # builds it, which would else be done by a test
	assets=$$(hack/envtest/assets.sh) && KUBEBUILDER_ASSETS=$$assets go test -timeout 20m $$(go list ./... | grep -v '/test/soak$$')
	assets=$$(hack/envtest/assets.sh) && KUBEBUILDER_ASSETS=$$assets go test -timeout 20m ./test/soak # alone: it judges how soon things happen
	cd test/interop && go test -timeout 10m ./...
	assets=$$(hack/envtest/assets.sh) && cd test/gitops && KUBEBUILDER_ASSETS=$$assets go test -timeout 10m ./...

.PHONY: test-race
test-race: ## Run all tests under the race detector (needs a C compiler)
	assets=$$(hack/envtest/assets.sh) && KUBEBUILDER_ASSETS=$$assets CGO_ENABLED=1 go test -race -timeout 40m ./...

.PHONY: test-soak
test-soak: ## Kill the leader at each point, throttle, hang, and soak for a minute; wants a machine that does nothing else
	assets=$$(hack/envtest/assets.sh) && KUBEBUILDER_ASSETS=$$assets go test -timeout 20m ./test/soak

.PHONY: test-permissions
test-permissions: ## Take one right at a time from the operator's roles and see that something stops working
	assets=$$(hack/envtest/assets.sh) && KUBEBUILDER_ASSETS=$$assets CDP_TEST_PERMISSIONS=1 go test -timeout 20m ./controllers -run 'RoleIsEnough|RoleHasNothingToSpare'

.PHONY: test-interop
test-interop: ## Try the exchange against authorization servers that others wrote (npm's too, if node is there)
	cd test/interop && go test -v -timeout 10m ./...

.PHONY: test-gitops
test-gitops: ## Run Argo CD's health check and action, and hold kstatus against the real operator
	assets=$$(hack/envtest/assets.sh) && cd test/gitops && KUBEBUILDER_ASSETS=$$assets go test -v -timeout 10m ./...

SEEDS ?= 100000
FIRST ?= 1
.PHONY: simulate
simulate: ## Simulate SEEDS (100000) worlds from FIRST (1) on; a few hundred are part of the tests
	hack/simulate.sh $(SEEDS) $(FIRST)

PAIRS ?= 50000
.PHONY: simulate-pairs
simulate-pairs: ## Simulate PAIRS (50000) pairs of worlds that differ only in the values of Secrets, from FIRST (1) on; a few hundred are part of the tests
	go test ./test/simulation -run '^TestPairs$$' -count 1 -timeout 0 -v -simulation.pairs=$(PAIRS) -simulation.first=$(FIRST)

STATES ?= 20000
FILE ?= bin/states.gz
STATE ?= 0
SIMULATE_STATES := go test ./test/simulation -run '^TestStates$$' -count 1 -timeout 0 -v
.PHONY: record-states
record-states: ## Before the code is rearranged: write STATES (20000) states of simulated worlds and what becomes of them to FILE (bin/states.gz)
	mkdir -p $(dir $(FILE))
	$(SIMULATE_STATES) -simulation.record=$(abspath $(FILE)) -simulation.states=$(STATES) -simulation.first=$(FIRST)

.PHONY: compare-states
compare-states: ## Afterwards: fail if something else becomes of a state of FILE (bin/states.gz); STATE=N tells the story of one
	$(SIMULATE_STATES) -simulation.compare=$(abspath $(FILE)) -simulation.state=$(STATE)

.PHONY: compare-totals
compare-totals: ## Fail if the totals of two logs of make simulate, BEFORE and AFTER, differ by more than 1 %
	hack/totals.sh $(BEFORE) $(AFTER)

MUTATE ?=
.PHONY: mutate
mutate: ## Make N (150) mutants of controllers, egress, flow and token by SEED (1), and fail if the tests catch less than 85 % of them (half an hour)
	go run ./test/mutate $(if $(filter-out file,$(origin N)),-n $(N)) $(if $(filter-out file,$(origin SEED)),-seed $(SEED)) $(MUTATE)

.PHONY: mutate-simulation
mutate-simulation: ## Plant bugs that were made by hand, one at a time, and fail if the simulator does not find one of them
	go run ./test/mutate -planted

.PHONY: e2e
e2e: ## Try all of it on a real node: of a cluster made here (Linux and root), or of E2E_KUBECONFIG's (see CONTRIBUTING.md)
	test/e2e/run.sh

FUZZTIME ?= 20s
.PHONY: fuzz
fuzz: ## Run every fuzz test for FUZZTIME (20s)
	hack/fuzz.sh $(FUZZTIME)

.PHONY: vulncheck
vulncheck: ## Look for known vulnerabilities that our code can reach
	hack/vulncheck.sh

.PHONY: picture
picture: ## Draw docs/images/dashboard.svg from what a real Prometheus sees of an operator in trouble
	mkdir -p docs/images
	go test ./test/watch -count=1 -run 'TestPrometheus$$' -picture $(CURDIR)/docs/images/dashboard.svg

##@ Build

BINARY ?= bin/manager
.PHONY: build
build: ## Build bin/manager
	$(BUILD) -o $(BINARY) ./cmd/manager

.PHONY: run
run: ## Run the manager here, against the cluster of the current kubeconfig
	go run ./cmd/manager --metrics-bind-address=127.0.0.1:8080 --metrics-secure=false

.PHONY: docker-build
docker-build: ## Build the image IMG
	$(DOCKER) build --build-arg VERSION=$(VERSION) -t $(IMG) .

.PHONY: docker-push
docker-push: ## Push the image IMG
	$(DOCKER) push $(IMG)

##@ Deploy to the cluster of the current kubeconfig

.PHONY: install
install: ## Install the resource definition only
	$(TOOL) kustomize build config/crd | $(KUBECTL) apply --server-side -f -

.PHONY: uninstall
uninstall: ## Remove the resource definition, every CDPCredential and with them their Secrets
	$(TOOL) kustomize build config/crd | $(KUBECTL) delete --ignore-not-found -f -

# Overlays are written to bin/, so that setting an image changes no file of the repository.
.PHONY: overlay
overlay:
	rm -rf bin/deploy && mkdir -p bin/deploy
	printf 'resources: [../../config/default]\n' > bin/deploy/kustomization.yaml
	cd bin/deploy && go tool -modfile=../../hack/tools/go.mod kustomize edit set image controller=$(IMG)

.PHONY: deploy
deploy: overlay ## Install the operator with the image IMG
	$(TOOL) kustomize build bin/deploy | $(KUBECTL) apply --server-side -f -

.PHONY: undeploy
undeploy: ## Remove the operator, its resource definition, every CDPCredential and with them their Secrets
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

INSTALLER ?= dist/install.yaml
.PHONY: build-installer
build-installer: overlay ## Write dist/install.yaml, the operator with the image IMG in one file
	mkdir -p $(dir $(INSTALLER))
	$(TOOL) kustomize build bin/deploy > $(INSTALLER)

.PHONY: build-installer-namespaced
build-installer-namespaced: overlay-namespaced ## Write dist/install-namespaced.yaml, the same with rights in NAMESPACES only
	mkdir -p dist
	$(TOOL) kustomize build bin/deploy-namespaced > dist/install-namespaced.yaml

.PHONY: build-crd
build-crd: ## Write dist/crd.yaml, the resource definition only
	mkdir -p dist
	$(TOOL) kustomize build config/crd > dist/crd.yaml

.PHONY: chart-package
chart-package: ## Write dist/cdp-credential-operator-VERSION.tgz, the Helm chart with the image IMG
	hack/chart-package.sh '$(VERSION)' '$(IMG)'

##@ Release

PLATFORMS := linux/amd64 linux/arm64
.PHONY: release
release: build-installer build-installer-namespaced build-crd chart-package ## Write dist/: manifests, chart, binaries, SBOMs (CycloneDX) and checksums
	rm -f dist/manager-*
	for platform in $(PLATFORMS); do \
	  name=manager-$${platform/\//-}; \
	  GOOS=$${platform%/*} GOARCH=$${platform#*/} $(BUILD) -o dist/$$name ./cmd/manager; \
	  $(CYCLONEDX_GOMOD) bin -json -noserial -std -version $(VERSION) -output dist/$$name.cdx.json dist/$$name; \
	done
	cd dist && sha256sum install.yaml install-namespaced.yaml crd.yaml cdp-credential-operator-*.tgz manager-* > SHA256SUMS

.PHONY: verify-reproducible
verify-reproducible: ## Build twice, in different folders and with different caches, and compare
	hack/reproducible.sh "$(VERSION)"

.PHONY: clean
clean: ## Remove bin/ and dist/ (the envtest binaries stay in the user's cache folder)
	rm -rf bin dist
