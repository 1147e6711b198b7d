// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// A writeRefusal says who did not let the target Secret be written. The API server's text is not shown: a policy's may quote what was written.
type writeRefusal struct {
	// Answer is the HTTP status and its reason.
	Answer string
	// By names the policy, webhook or quota, as far as it is known.
	By string
	// Rights says that it was the operator's role.
	Rights bool
}

// refusals are how the API server begins to say who refuses a write. What follows is the refuser's own text, which cannot come before it.
var refusals = []struct {
	by      string
	pattern *regexp.Regexp
}{
	{"ValidatingAdmissionPolicy", regexp.MustCompile(`^secrets(?: "[^"]*")? is forbidden: ValidatingAdmissionPolicy '([a-z0-9.-]{1,253})' with binding `)},
	{"ResourceQuota", regexp.MustCompile(`^secrets(?: "[^"]*")? is forbidden: (?:exceeded|failed) quota: ([a-z0-9.-]{1,253})[,:]`)},
	{"admission webhook", regexp.MustCompile(`^(?:secrets(?: "[^"]*")? is forbidden: )?admission webhook "([a-z0-9.-]{1,253})" denied the request`)},
	{"admission webhook", regexp.MustCompile(`^Internal error occurred: failed calling webhook "([a-z0-9.-]{1,253})": `)},
}

var lacksRights = regexp.MustCompile(`^secrets(?: "[^"]*")? is forbidden: User "`)

// WriteRefusalOf tells a refusal, which only somebody else can end, from trouble that passes.
func WriteRefusalOf(err error) (writeRefusal, bool) {
	var api apierrors.APIStatus
	if !errors.As(err, &api) {
		return writeRefusal{}, false
	}
	said := api.Status()
	var w writeRefusal
	for _, r := range refusals {
		if match := r.pattern.FindStringSubmatch(said.Message); match != nil {
			w.By = r.by + " " + match[1]
			break
		}
	}
	w.Rights = lacksRights.MatchString(said.Message)
	w.Answer = fmt.Sprintf("HTTP %d %s", said.Code, reasonShown(said))
	return w, w.By != "" || refuses(said.Code)
}

// refuses reports whether an HTTP status is a refusal: 4xx without those that are about a race, or about load.
func refuses(code int32) bool {
	switch code {
	case http.StatusNotFound, http.StatusConflict, http.StatusTooManyRequests, http.StatusRequestTimeout:
		return false
	}
	return code >= 400 && code < 500
}

// reasonShown is the reason of a status, where it is one of the API server's and not a webhook's own.
func reasonShown(said metav1.Status) string {
	switch said.Reason {
	case metav1.StatusReasonForbidden, metav1.StatusReasonInvalid, metav1.StatusReasonBadRequest, metav1.StatusReasonRequestEntityTooLarge,
		metav1.StatusReasonUnauthorized, metav1.StatusReasonMethodNotAllowed, metav1.StatusReasonInternalError:
		return string(said.Reason)
	}
	return http.StatusText(int(said.Code))
}

// Failure is what is reported of a refusal.
func (w writeRefusal) Failure(s *State) *Failure {
	advice := "ask whoever runs the cluster for its admission policies"
	switch {
	case w.Rights:
		advice = "ask whoever runs the cluster to give the operator its role back (config/rbac)"
	case w.By != "":
		advice = "ask whoever runs the cluster what it wants, or change spec.target"
	}
	f := &Failure{Reason: v1alpha1.ReasonTargetUnusable, Stalled: true, Attempted: true, WriteRefused: true}
	f.Message = fmt.Sprintf("the API server refuses the write of Secret %s (%s%s): %s; it is tried again by itself", s.Target.Name, w.Answer, w.shownBy(), advice)
	f.RetryAt = s.Now.Add(Doubled(30*time.Second, 10*time.Minute, s.Object.Status.WriteRefusals))
	return f
}

func (w writeRefusal) shownBy() string {
	if w.By == "" {
		return ""
	}
	return ", by " + w.By
}
