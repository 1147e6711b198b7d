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

func annotate(namespace, secret, key, value string) string {
	return fmt.Sprintf("kubectl annotate secret -n %s %s --overwrite '%s=%s'", namespace, secret, key, value)
}

// hostOf leaves out the port of https: an entry without a port allows any.
func hostOf(endpoint egress.Endpoint) string {
	return strings.TrimSuffix(endpoint.String(), ":443")
}

// Shorten cuts text that others wrote.
func Shorten(text string, most int) string {
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + "…"
}

// trimNewline takes one trailing newline away: files made with echo have one.
func trimNewline(s string) string {
	if n := len(s); n > 0 && s[n-1] == '\n' {
		s = s[:n-1]
		if n := len(s); n > 0 && s[n-1] == '\r' {
			s = s[:n-1]
		}
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

// isName reports whether a text has the form of an object's name.
func isName(text string) bool { return len(validation.IsDNS1123Subdomain(text)) == 0 }
