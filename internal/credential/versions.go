// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/resourceversion"
)

// Older reports whether a resourceVersion is older than another; incomparable versions are not.
func Older(resourceVersion, than string) bool {
	if resourceVersion == than || than == "" {
		return false
	}
	order, err := resourceversion.CompareResourceVersion(resourceVersion, than)
	return err == nil && order < 0
}

// Lags reports whether the cache shows a Secret older than the version that we know of.
func Lags(found bool, cached, known string) bool {
	_, cachedVersion := SplitVersion(cached)
	_, knownVersion := SplitVersion(known)
	return !found || Older(cachedVersion, knownVersion)
}

// VersionOf identifies one version of one object: UID/RESOURCEVERSION.
func VersionOf(meta metav1.Object) string {
	return string(meta.GetUID()) + "/" + meta.GetResourceVersion()
}

// SplitVersion is the inverse of VersionOf.
func SplitVersion(version string) (uid types.UID, resourceVersion string) {
	before, after, ok := strings.Cut(version, "/")
	if !ok {
		return "", ""
	}
	return types.UID(before), after
}
