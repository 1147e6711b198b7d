// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"fmt"
	"strings"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/egress"
	"github.com/cdpcredentials/cdp-credential-operator/internal/render"
)

// findBlocker returns the first thing that somebody has to change before the action is possible. No check sends a request. Each knows by itself when
// it is worth its cost.
func findBlocker(s *State, action Action) *Failure {
	for _, check := range []func(*State, Action) *Failure{
		invalidSpec, invalidCABundle, disallowedMetadata, unusableTarget, invalidTemplate, missingClientSecret,
	} {
		if f := check(s, action); f != nil {
			return f
		}
	}
	return clientConsent(s)
}

func invalidSpec(s *State, _ Action) *Failure {
	if s.DesiredErr == nil {
		return nil
	}
	return stalled(v1alpha1.ReasonInvalidSpec, s.DesiredErr.Error())
}

// invalidCABundle parses certificates, which is only worth its cost if there is something to do, or if the spec is new or was invalid.
func invalidCABundle(s *State, action Action) *Failure {
	bundle, status := caBundle(s.Object), &s.Object.Status
	isNew := status.ObservedGeneration != s.Object.Generation
	wasInvalid := refreshedReason(status) == v1alpha1.ReasonInvalidSpec
	worthIt := action != ActionNone || isNew || wasInvalid
	if len(bundle) == 0 || !worthIt {
		return nil
	}
	if err := egress.CheckCABundle(bundle); err != nil {
		return stalled(v1alpha1.ReasonInvalidSpec, "spec.tls.caBundle: "+err.Error())
	}
	return nil
}

func disallowedMetadata(s *State, _ Action) *Failure {
	key := disallowedTargetKey(&s.Object.Spec.Target, s.AllowedMetadata)
	if key == "" {
		return nil
	}
	return stalled(v1alpha1.ReasonInvalidSpec, "spec.target: "+key+" is not among the labels and annotations that are known to be harmless, "+
		"and could make other controllers act on the Secret: remove it, or have an administrator allow it with --allowed-target-metadata="+key)
}

func unusableTarget(s *State, _ Action) *Failure {
	switch {
	case !s.Target.Found:
		return nil
	case s.Target.Owner() != s.Object.Name:
		return targetNotOwned(s)
	case s.Target.Unusable != "":
		return stalled(v1alpha1.ReasonTargetUnusable, "Secret "+s.Object.Spec.Target.Name+" "+s.Target.Unusable+": "+unusableAdvice(s.Target.Unusable)+", or choose another spec.target.name")
	}
	return nil
}

// invalidTemplate compiles the templates, but only if something is to be written.
func invalidTemplate(s *State, action Action) *Failure {
	if action == ActionNone {
		return nil
	}
	if _, err := render.Compile(textMap(s.Object.Spec.Target.Data)); err != nil {
		return stalled(v1alpha1.ReasonInvalidTemplate, "spec.target.data."+err.Error())
	}
	return nil
}

func missingClientSecret(s *State, _ Action) *Failure {
	if s.Client.Found {
		return nil
	}
	return stalled(v1alpha1.ReasonSecretNotFound, "create the Secret "+s.Object.Spec.ClientSecretRef.Name+" in this namespace, with "+requiredKeys(&s.Desired))
}

func requiredKeys(desired *DesiredFlow) string {
	var keys []string
	for _, key := range desired.Flow.Keys {
		if !key.Optional {
			keys = append(keys, key.Name)
		}
	}
	if len(keys) == 1 {
		return "the key " + keys[0]
	}
	return "the keys " + strings.Join(keys, " and ")
}

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

func unusableAdvice(why string) string {
	if why == beingDeleted {
		return "wait until it is gone (its metadata.finalizers say what it waits for)"
	}
	return "delete it"
}
