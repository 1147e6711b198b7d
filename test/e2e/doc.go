// SPDX-License-Identifier: Apache-2.0

// Package e2e tries the operator as users have it: the image of the Dockerfile's binary, installed from install.yaml, running as its
// Deployment with its own ServiceAccount, in a namespace with restricted Pod Security; and pods that use its tokens. Its tests need a
// cluster with nodes, the current one of the file E2E_KUBECONFIG, and are left out where that is not set. `make e2e` makes such a cluster,
// or takes one, and sets what else they want.
//
// Two things differ from a user's cluster. The token endpoint is a stand-in in a pod of this cluster, so the operator gets one more flag,
// --allowed-cidrs, for its private address. And the cluster made by `make e2e` has no network plugin that enforces NetworkPolicies, and
// no name server: the policies are applied, as the API server takes them, but nothing is known of their effect.
package e2e
