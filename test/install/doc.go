// SPDX-License-Identifier: Apache-2.0

// Package install tries the ways in which the operator gets into a cluster, and out of it again: the Helm chart, config/ by kustomize, and
// the files of a release. Helm and kustomize are the commands of hack/tools; API servers are real and have no nodes.
package install
