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

// TestIrrelevantChangesCostNothing churns what does not matter, and restarts, and wants silence: no exchange, no write, and no request at all but one look
// at a Secret that has a new version.
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
		{"a client Secret that was looked into before", func() {
			etl.edit(func(obj *v1alpha1.CDPCredential) {
				obj.Spec.Verify = nil
				metav1.SetMetaDataLabel(&obj.ObjectMeta, "churn", "6")
			})
		}, nil},
		// What others write on the target is theirs. It is looked into once, and status remembers its version for the next start.
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
			t.Errorf("%s: other requests than expected (-want +got):\n%s", step.name, diff)
		}
	}

	object := etl.object().ResourceVersion
	o.stop()
	o = s.operate(assembly{})
	s.quiet("restart")
	asked := slices.DeleteFunc(o.requests.since(0), func(request string) bool {
		return strings.HasPrefix(request, "list ") || strings.HasPrefix(request, "get /api") // what fills the cache
	})
	if diff := cmp.Diff([]string{"get secrets/etl-client"}, asked); diff != "" {
		t.Errorf("a restart led to other requests (-want +got):\n%s", diff)
	}
	if etl.target().ResourceVersion != target || etl.object().ResourceVersion != object {
		t.Error("something was written")
	}
	if etl.issued() != 1 || web.issued() != 1 {
		t.Errorf("%d and %d tokens were issued, want one each", etl.issued(), web.issued())
	}
}

// TestRefreshCostsTheFewestRequests counts what one refresh asks of the API server and of the endpoint.
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
		t.Errorf("the first token cost other requests (-want +got):\n%s", diff)
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
		t.Errorf("a refresh cost other requests (-want +got):\n%s", diff)
	}
	if made := c.attempts() - attempts; made != 1 {
		t.Errorf("a refresh cost %d exchanges", made)
	}
}
