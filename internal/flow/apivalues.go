// SPDX-License-Identifier: Apache-2.0

package flow

import (
	"net/url"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// Helpers for the vendors' files: optional API fields with their defaults, and lists of named string types.

// below appends path to base, which may have a path of its own. An invalid base is returned as it is, for Check to refuse.
func below(base, path string) string {
	u, err := url.Parse(base)
	if err != nil {
		return base
	}
	return u.JoinPath(path).String()
}

func texts[T ~string](list []T) []string {
	var out []string
	for _, item := range list {
		out = append(out, string(item))
	}
	return out
}

func urlOr(url *v1alpha1.HTTPSURL, fallback string) string {
	if url == nil || *url == "" {
		return fallback
	}
	return string(*url)
}

func durationOr(d *metav1.Duration, fallback time.Duration) time.Duration {
	if d == nil || d.Duration <= 0 {
		return fallback
	}
	return d.Duration
}
