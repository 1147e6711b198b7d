// SPDX-License-Identifier: Apache-2.0

package credential

import "github.com/cdpcredentials/cdp-credential-operator/internal/egress"

// Policy is what an administrator allows.
type Policy struct {
	// AllowedHosts are those that he consented to for all client Secrets. Zero: none.
	AllowedHosts egress.Hosts
	// TokenHostsOnly are the only hosts to which client Secrets and tokens may go, whatever else consents. Zero: every host with consent.
	TokenHostsOnly egress.Hosts
	// AllowedMetadata are keys, and prefixes without their slash, that targets may carry though they make other controllers act. Nil: none.
	AllowedMetadata []string
	// RolloutRestart lets objects have workloads restarted, for which the operator needs rights of its own. False: they are told that it does not.
	RolloutRestart bool
}
