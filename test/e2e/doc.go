// SPDX-License-Identifier: Apache-2.0

// Package e2e tests the operator as users have it: the image of the Dockerfile's binary, installed from install.yaml, running as its Deployment with
// its own ServiceAccount, in a namespace with restricted Pod Security; and pods that use its tokens. Its tests need a cluster with nodes, the current
// context of the file E2E_KUBECONFIG, and are skipped if that is not set. `make e2e` creates such a cluster, or uses an existing one, and sets
// everything else that they need.
//
// Two things differ from a user's cluster. The token endpoint is a stand-in in a pod of this cluster, so the operator gets another flag,
// --allowed-cidrs, for its private address. And the cluster of `make e2e` has no name server and no network plugin that enforces NetworkPolicies: the
// policies are applied, but their effect is not tested.
package e2e
