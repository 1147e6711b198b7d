// SPDX-License-Identifier: Apache-2.0

package credential

import "github.com/cdpcredentials/cdp-credential-operator/internal/egress"

// Policy is what the administrator allows, by flags of the manager.
type Policy struct {
	// AllowedHosts may receive the values of any client Secret in the cluster, without the Secret's own consent.
	AllowedHosts egress.Hosts
	// TokenHostsOnly limits where client Secrets and tokens may be sent, whoever else consents. Zero: no limit.
	TokenHostsOnly egress.Hosts
	// AllowedMetadata lists further labels and annotations that targets may carry: keys, or prefixes without their slash.
	AllowedMetadata []string
	// RolloutRestart enables spec.rolloutRestart, for which the operator needs additional RBAC.
	RolloutRestart bool
	// PodRefresh enables spec.target.refreshPods, for which the operator needs additional RBAC.
	PodRefresh bool
}
