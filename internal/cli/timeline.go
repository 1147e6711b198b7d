// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// A Timeline is the life of the token in the target Secret.
type Timeline struct {
	Issued metav1.Time `json:"issued"`
	// Renewal is when the operator next asks for a token: the renewal, or a retry after a failure. Empty: it does not.
	Renewal *metav1.Time `json:"renewal,omitempty"`
	Expires metav1.Time  `json:"expires"`
}

// timelineOf is nil where there is no token, or one that does not expire.
func timelineOf(obj *v1alpha1.CDPCredential) *Timeline {
	issued, expires := obj.Status.LastRefreshTime, obj.Status.TokenExpirationTime
	if issued == nil || expires == nil {
		return nil
	}
	t := &Timeline{Issued: *issued, Expires: *expires}
	if !obj.Spec.Suspend {
		t.Renewal = obj.Status.NextRefreshTime
	}
	return t
}

// bar draws the life of a token: what is past as =, now as >, the renewal as R, the rest as dots.
func (t *Timeline) bar(now time.Time, width int) string {
	cells := []byte(strings.Repeat(".", width))
	at := func(moment time.Time) int {
		life := t.Expires.Sub(t.Issued.Time)
		if life <= 0 {
			return width - 1
		}
		return min(max(int(float64(moment.Sub(t.Issued.Time))/float64(life)*float64(width-1)), 0), width-1)
	}
	for i := range at(now) {
		cells[i] = '='
	}
	if now.Before(t.Expires.Time) {
		cells[at(now)] = '>'
	} else {
		cells[width-1] = '='
	}
	if t.Renewal != nil && !t.Renewal.After(t.Expires.Time) {
		cells[at(t.Renewal.Time)] = 'R'
	}
	return "[" + string(cells) + "]"
}
