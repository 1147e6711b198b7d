package credential

import (
	"strings"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/egress"
	"github.com/cdpcredentials/cdp-credential-operator/internal/render"
)

// IsNewBlocker says whether a Secret, as the cache shows it, is in the way, and status does not say so yet.
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

// FindBlocker finds what somebody has to change before anything can be done. All of it is known without a request.
func FindBlocker(s *State, do Action) *Failure {
	spec := &s.Object.Spec
	if s.DesiredErr != nil {
		return stalled(v1alpha1.ReasonInvalidSpec, s.DesiredErr.Error())
	}
	if bundle := caBundle(s.Object); len(bundle) > 0 && (do != ActionNone || s.Object.Status.ObservedGeneration != s.Object.Generation || RefreshedReason(&s.Object.Status) == v1alpha1.ReasonInvalidSpec) {
		if err := egress.CheckCABundle(bundle); err != nil {
			return stalled(v1alpha1.ReasonInvalidSpec, "spec.tls.caBundle: "+err.Error())
		}
	}
	if key := disallowedTargetKey(&spec.Target, s.AllowedMetadata); key != "" {
		return stalled(v1alpha1.ReasonInvalidSpec, "spec.target: "+key+" is not among the labels and annotations that are known to be harmless, "+
			"and could make other controllers act on the Secret: remove it, or have an administrator allow it with --allowed-target-metadata="+key)
	}
	if s.Target.Found && s.Target.Owner() != s.Object.Name {
		return targetNotOwned(s)
	}
	if s.Target.Found && s.Target.Unusable != "" {
		return stalled(v1alpha1.ReasonTargetUnusable, "Secret "+spec.Target.Name+" "+s.Target.Unusable+": delete it, or choose another spec.target.name")
	}
	if do != ActionNone {
		if _, err := render.Compile(textMap(spec.Target.Data)); err != nil {
			return stalled(v1alpha1.ReasonInvalidTemplate, "spec.target.data."+err.Error())
		}
	}
	if !s.Client.Found {
		return stalled(v1alpha1.ReasonSecretNotFound, "create the Secret "+spec.ClientSecretRef.Name+" in this namespace, with "+neededKeys(&s.Desired))
	}
	return clientConsent(s)
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
