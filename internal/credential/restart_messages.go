// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/types"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

func workloadMissing(ref v1alpha1.RolloutRestart) string {
	return fmt.Sprintf("%s %s of spec.rolloutRestart does not exist in this namespace: correct its name, or remove it from the list", ref.Kind, ref.Name)
}

// restartNotAllowed names a command that does not overwrite: the workload may allow others already.
func restartNotAllowed(object types.NamespacedName, ref v1alpha1.RolloutRestart) string {
	return fmt.Sprintf("%s %s does not allow %s to restart it; whoever runs the workload allows it with: kubectl annotate %s -n %s %s '%s=%s' "+
		"(or adds the name to those that are there, after a comma)",
		ref.Kind, ref.Name, object.Name, strings.ToLower(string(ref.Kind)), object.Namespace, ref.Name, v1alpha1.AllowRestartAnnotation, object.Name)
}

// RestartForbidden is the message for a workload that the API server does not let the operator restart.
func RestartForbidden(ref v1alpha1.RolloutRestart) string {
	return fmt.Sprintf("the API server does not let the operator restart %s %s: ask whoever runs the cluster for the operator's rights "+
		"(config/rollout-restart) and for admission policies", ref.Kind, ref.Name)
}

// RestartFailed is the message for any other error of the API server.
func RestartFailed(ref v1alpha1.RolloutRestart) string {
	return fmt.Sprintf("%s %s could not be restarted; the operator retries: if it keeps failing, restart it with kubectl rollout restart and see the operator's log",
		ref.Kind, ref.Name)
}

// RestartDisabled is the message for an operator that runs without --enable-rollout-restart.
const RestartDisabled = "spec.rolloutRestart has no effect: ask whoever runs the operator to turn it on with --enable-rollout-restart and " +
	"the rights of config/rollout-restart, or remove it and use Reloader"
