// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// Labels and annotations that make other controllers act on a Secret are a way to act with those controllers' rights. So the author of a
// CDPCredential may set only keys that are known to be harmless, and those that an administrator has opened.
var (
	harmlessKeys     = []string{"helm.sh/chart", "team", "owner", "cost-center", "velero.io/exclude-from-backup"}
	harmlessPrefixes = []string{"app.kubernetes.io", "reloader.stakater.com"}
	// trackingLabel is the one of app.kubernetes.io that is not harmless: Argo CD takes an object that carries it for part of an application.
	trackingLabel = "app.kubernetes.io/instance"
)

// AllowedTargetKey reports whether spec.target may set the label or annotation. opened are the entries of --allowed-target-metadata: keys, prefixes
// without their slash, or "*" for every key that is not the operator's own.
func AllowedTargetKey(key string, opened []string) bool {
	prefix, _, prefixed := strings.Cut(key, "/")
	switch {
	case key == v1alpha1.ManagedByLabel, strings.EqualFold(prefix, v1alpha1.GroupVersion.Group) && prefixed:
		return false // the operator's own, which the schema refuses as well
	case key == corev1.LastAppliedConfigAnnotation:
		return false // kubectl's copy of what was applied: the cache keeps what is allowed, and is to hold no Secret's data
	case slices.Contains(opened, "*"), slices.Contains(opened, key), prefixed && slices.Contains(opened, prefix):
		return true
	case key == trackingLabel:
		return false
	}
	return slices.Contains(harmlessKeys, key) || prefixed && slices.Contains(harmlessPrefixes, prefix)
}

// disallowedTargetKey returns the first label or annotation of target that its author may not set. Empty: all are fine.
func disallowedTargetKey(target *v1alpha1.Target, opened []string) string {
	for _, key := range append(SortedKeys(target.Labels), SortedKeys(target.Annotations)...) {
		if !AllowedTargetKey(key, opened) {
			return key
		}
	}
	return ""
}
