// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"fmt"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// targetNotOwned names both ways out: another target, or the command that hands the Secret over.
func targetNotOwned(s *State) *Failure {
	name := s.Target.Name
	handOver := annotate(s.Object.Namespace, name, v1alpha1.CredentialAnnotation, s.Object.Name)
	if owner := s.Target.Owner(); owner != "" {
		other := "another CDPCredential"
		if isName(owner) { // otherwise it is arbitrary text, which status must not repeat
			other = "the CDPCredential " + owner
		}
		return stalled(v1alpha1.ReasonTargetNotOwned, fmt.Sprintf(
			"Secret %s is the target of %s: choose another spec.target.name, or hand the Secret over (%s) with: %s",
			name, other, onDeletion(&s.Object.Spec.Target), handOver))
	}
	return stalled(v1alpha1.ReasonTargetNotOwned, fmt.Sprintf(
		"Secret %s exists and was not made by this object: choose another spec.target.name, delete the Secret, or hand it over (%s) with: %s",
		name, onDeletion(&s.Object.Spec.Target), handOver))
}

// onDeletion says what happens to a Secret that is handed over when its object is deleted.
func onDeletion(target *v1alpha1.Target) string {
	if Retains(target) {
		return "it stays when this object is deleted, as spec.target.deletionPolicy says"
	}
	return "deleting this object then deletes the Secret, unless it holds keys of others: then it stays, and only the keys of this object are taken out"
}
