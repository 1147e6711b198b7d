// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"strings"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/egress"
	"github.com/cdpcredentials/cdp-credential-operator/internal/render"
)

// IsNewBlocker reports whether a Secret, as the cache shows it, is in the way, and status does not say so yet.
func IsNewBlocker(s *State, plan Plan) bool {
	if plan.Failure == nil || plan.Failure.Reason == RefreshedReason(&s.Object.Status) {
		return false
	}
	switch plan.Failure.Reason {
	case v1alpha1.ReasonSecretNotFound, v1alpha1.ReasonHostNotAllowed, v1alpha1.ReasonCANotAllowed, v1alpha1.ReasonSecretNotAllowed,
		v1alpha1.ReasonTargetNotOwned, v1alpha1.ReasonTargetUnusable:
		return true
	}
	return false
}

// HasLostSecret reports whether an object that had a token has lost its client Secret or its target, and that is about to be told, or the target made anew.
func HasLostSecret(s *State, plan Plan) bool {
	if s.SavedStatus.LastRefreshTime == nil {
		return false
	}
	lostClient := plan.Failure != nil && plan.Failure.Reason == v1alpha1.ReasonSecretNotFound && RefreshedReason(&s.Object.Status) != v1alpha1.ReasonSecretNotFound
	lostTarget := plan.Cause == CauseMissing && !s.Current.Found
	return lostClient || lostTarget
}

// FindBlocker returns the first thing that somebody has to change before anything can be done. All of it is known without a request.
func FindBlocker(s *State, do Action) *Failure {
	for _, check := range []func(*State, Action) *Failure{
		invalidSpec, invalidCABundle, disallowedMetadata, unusableTarget, invalidTemplate, missingClientSecret,
	} {
		if f := check(s, do); f != nil {
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

// invalidCABundle parses certificates, which is only worth its cost where something is to be done or the spec is new or was invalid.
func invalidCABundle(s *State, do Action) *Failure {
	bundle, status := caBundle(s.Object), &s.Object.Status
	worthIt := do != ActionNone || status.ObservedGeneration != s.Object.Generation || RefreshedReason(status) == v1alpha1.ReasonInvalidSpec
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
		return stalled(v1alpha1.ReasonTargetUnusable, "Secret "+s.Object.Spec.Target.Name+" "+s.Target.Unusable+": delete it, or choose another spec.target.name")
	}
	return nil
}

// invalidTemplate compiles templates only where something is to be written.
func invalidTemplate(s *State, do Action) *Failure {
	if do == ActionNone {
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
	return stalled(v1alpha1.ReasonSecretNotFound, "create the Secret "+s.Object.Spec.ClientSecretRef.Name+" in this namespace, with "+neededKeys(&s.Desired))
}

func neededKeys(in *DesiredFlow) string {
	var keys []string
	for _, key := range in.Flow.Keys {
		if !key.Optional {
			keys = append(keys, key.Name)
		}
	}
	if len(keys) == 1 {
		return "the key " + keys[0]
	}
	return "the keys " + strings.Join(keys, " and ")
}
