// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"fmt"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/cdpcredentials/cdp-credential-operator/internal/egress"
)

// annotate returns the kubectl command that sets an annotation of a Secret.
func annotate(namespace, secret, key, value string) string {
	return fmt.Sprintf("kubectl annotate secret -n %s %s --overwrite '%s=%s'", namespace, secret, key, value)
}

// hostOf omits the default port of https: an allowed-hosts entry without a port allows any port.
func hostOf(endpoint egress.Endpoint) string {
	return strings.TrimSuffix(endpoint.String(), ":443")
}

// shorten truncates text that somebody else wrote.
func shorten(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	return strings.ToValidUTF8(text[:limit], "") + "…"
}

// trimNewline removes one trailing newline, which files made with echo have.
func trimNewline(s string) string {
	if rest, ok := strings.CutSuffix(s, "\n"); ok {
		return strings.TrimSuffix(rest, "\r")
	}
	return s
}

func textMap[T ~string](m map[string]T) map[string]string {
	if m == nil {
		return nil
	}
	out := make(map[string]string, len(m))
	for key, item := range m {
		out[key] = string(item)
	}
	return out
}

func durationOr(d *metav1.Duration, fallback time.Duration) time.Duration {
	if d == nil || d.Duration <= 0 {
		return fallback
	}
	return d.Duration
}

// isName reports whether text could be the name of a Kubernetes object.
func isName(text string) bool { return len(validation.IsDNS1123Subdomain(text)) == 0 }
