// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// TestIrrelevantChangesCostNothing makes irrelevant changes and restarts the operator. It requires no exchange, no write, and no request at all
// except one GET of a Secret that has a new version.
func TestIrrelevantChangesCostNothing(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	o := s.operate(assembly{})
	etl := s.ready("etl")
	web := s.ready("web", func(obj *v1alpha1.CDPCredential) { obj.Spec.Target.DeletionPolicy = "Retain" })
	s.quiet("birth")
	target := etl.target().ResourceVersion

	steps := []struct {
		name string
		do   func()
		want []string
	}{
		{"labels and annotations of CDPCredentials", func() {
			for round := range 5 {
				for _, c := range []*credential{etl, web} {
					c.edit(func(obj *v1alpha1.CDPCredential) {
						metav1.SetMetaDataLabel(&obj.ObjectMeta, "churn", fmt.Sprint(round))
						metav1.SetMetaDataAnnotation(&obj.ObjectMeta, "churn", fmt.Sprint(round))
					})
				}
			}
		}, nil},
		{"a label of a client Secret", func() {
			etl.editClient(func(secret *corev1.Secret) { metav1.SetMetaDataLabel(&secret.ObjectMeta, "churn", "1") })
		}, []string{"get secrets/etl-client"}},
		{"a client Secret that has been read already", func() {
			etl.edit(func(obj *v1alpha1.CDPCredential) {
				obj.Spec.Verify = nil
				metav1.SetMetaDataLabel(&obj.ObjectMeta, "churn", "6")
			})
		}, nil},
		// Foreign metadata on a target is not ours. The target is read once, and status stores its version for the next start.
		{"a foreign label on a target", func() {
			s.editSecret("web-token", func(secret *corev1.Secret) { metav1.SetMetaDataLabel(&secret.ObjectMeta, "consumer", "yes") })
		}, []string{"get secrets/web-token", "patch cdpcredentials/web/status"}},
		{"a foreign Secret", func() { s.createSecret("foreign", map[string]string{"a": "b"}, nil) }, nil},
	}
	for i, step := range steps {
		mark := o.requests.len()
		step.do()
		s.quiet(fmt.Sprint(i))
		if diff := cmp.Diff(step.want, o.requests.since(mark)); diff != "" {
			t.Errorf("%s: unexpected requests (-want +got):\n%s", step.name, diff)
		}
	}

	object := etl.object().ResourceVersion
	o.stop()
	o = s.operate(assembly{})
	s.quiet("restart")
	asked := slices.DeleteFunc(o.requests.since(0), func(request string) bool {
		return strings.HasPrefix(request, "list ") || strings.HasPrefix(request, "get /api") // cache and discovery
	})
	if diff := cmp.Diff([]string{"get secrets/etl-client"}, asked); diff != "" {
		t.Errorf("a restart made unexpected requests (-want +got):\n%s", diff)
	}
	if etl.target().ResourceVersion != target || etl.object().ResourceVersion != object {
		t.Error("something was written")
	}
	if etl.issued() != 1 || web.issued() != 1 {
		t.Errorf("%d and %d tokens were issued, want one each", etl.issued(), web.issued())
	}
}

// TestRefreshCostsTheFewestRequests counts the requests of one refresh to the API server and the endpoint.
func TestRefreshCostsTheFewestRequests(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	o := s.operate(assembly{})
	c := s.ready("etl")
	s.quiet("birth")
	asked := slices.DeleteFunc(o.requests.since(0), func(request string) bool {
		return strings.HasPrefix(request, "list ") || strings.HasPrefix(request, "get /api")
	})
	if diff := cmp.Diff([]string{"create events", "create secrets", "get secrets/etl-client", "patch cdpcredentials/etl/status"}, asked); diff != "" {
		t.Errorf("the first token made unexpected requests (-want +got):\n%s", diff)
	}
	c.settled()
	mark, attempts := o.requests.len(), c.attempts()
	c.request("now")
	c.waitIssued(2)
	s.until(patience, "the event", func() error {
		if !slices.Contains(o.requests.since(mark), "create events") {
			return errNotYet
		}
		return nil
	})
	if diff := cmp.Diff([]string{
		"create events", "get secrets/etl-client", "patch cdpcredentials/etl/status", "patch secrets/etl-token",
	}, o.requests.since(mark)); diff != "" {
		t.Errorf("a refresh made unexpected requests (-want +got):\n%s", diff)
	}
	if made := c.attempts() - attempts; made != 1 {
		t.Errorf("a refresh made %d exchanges, want 1", made)
	}
}
