// SPDX-License-Identifier: Apache-2.0

// Package install tests the ways in which the operator is installed and removed: the Helm chart, config/ with kustomize, and the files of a release.
// Helm and kustomize are the commands of hack/tools; API servers are real and have no nodes.
package install
