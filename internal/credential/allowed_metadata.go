// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// Labels and annotations can make other controllers act on a Secret, with those controllers' rights. So the author of a CDPCredential may set only
// keys that are known to be harmless, and those that the administrator allows.
var (
	harmlessKeys     = []string{"helm.sh/chart", "team", "owner", "cost-center", "velero.io/exclude-from-backup"}
	harmlessPrefixes = []string{"app.kubernetes.io", "reloader.stakater.com"}
	// trackingLabel is the exception under app.kubernetes.io: Argo CD considers an object that carries it part of an application.
	trackingLabel = "app.kubernetes.io/instance"
)

// AllowedTargetKey reports whether spec.target may set the label or annotation. The entries of allowed (--allowed-target-metadata) are keys, prefixes
// without their slash, or "*" for every key that is not the operator's own.
func AllowedTargetKey(key string, allowed []string) bool {
	prefix, _, hasPrefix := strings.Cut(key, "/")
	if isReservedKey(key) {
		return false
	}
	if slices.Contains(allowed, "*") || slices.Contains(allowed, key) || hasPrefix && slices.Contains(allowed, prefix) {
		return true
	}
	return key != trackingLabel && (slices.Contains(harmlessKeys, key) || hasPrefix && slices.Contains(harmlessPrefixes, prefix))
}

// isReservedKey reports whether nobody may set the key, whatever the administrator allows.
func isReservedKey(key string) bool {
	prefix, _, hasPrefix := strings.Cut(key, "/")
	operatorsOwn := key == v1alpha1.ManagedByLabel || hasPrefix && strings.EqualFold(prefix, v1alpha1.GroupVersion.Group)
	// kubectl's copy of the applied object: the cache keeps allowed keys, and must not hold a Secret's data.
	return operatorsOwn || key == corev1.LastAppliedConfigAnnotation
}

// disallowedTargetKey returns the first label or annotation of target that its author may not set. Empty: all are allowed.
func disallowedTargetKey(target *v1alpha1.Target, allowed []string) string {
	for _, key := range append(SortedKeys(target.Labels), SortedKeys(target.Annotations)...) {
		if !AllowedTargetKey(key, allowed) {
			return key
		}
	}
	return ""
}
