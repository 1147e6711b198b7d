// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange/exchangetest"
)

// TestKubectlGetShowsWhatIsWrong: the default columns of kubectl get show a suspended object, a token that the API refuses, and a target that another
// writer keeps changing.
func TestKubectlGetShowsWhatIsWrong(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.credential("paused", func(obj *v1alpha1.CDPCredential, _ *corev1.Secret) { obj.Spec.Suspend = true })
	s.credential("refused", func(obj *v1alpha1.CDPCredential, _ *corev1.Secret) {
		obj.Spec.Verify = &v1alpha1.Verify{URL: v1alpha1.HTTPSURL(s.endpoints.APIURL(exchangetest.OAuth2) + "?scope=write")}
	})
	s.credential("contested")
	s.eventually(0, "nothing is wrong", "status", "contested")
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); s.contest(ctx, "contested-token") }()
	defer func() { cancel(); <-done }()
	for name, want := range map[string]string{"paused": "False Suspended", "refused": "True InsufficientScope", "contested": "True TargetContested"} {
		s.untilRow(name, want)
	}
}

// contest keeps taking away what the operator writes, until ctx ends.
func (s *stage) contest(ctx context.Context, name string) {
	ticker := time.NewTicker(200 * time.Millisecond)
	defer ticker.Stop()
	for {
		secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace, Name: name}}
		_ = s.Client.Patch(ctx, secret, client.RawPatch("application/merge-patch+json", []byte(`{"metadata":{"labels":{"app.kubernetes.io/managed-by":"somebody-else"}}}`)))
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// untilRow waits until kubectl get shows an object with READY and REASON like this.
func (s *stage) untilRow(name, want string) {
	s.Helper()
	ticker := time.NewTicker(200 * time.Millisecond)
	defer ticker.Stop()
	for deadline := time.Now().Add(patience); ; <-ticker.C {
		row, err := s.Kubectl(s.Context(), "get", "cdpcred", name, "--namespace", s.namespace, "--no-headers")
		if err != nil {
			s.Fatal(err)
		}
		if strings.Contains(strings.Join(strings.Fields(row), " "), " "+want+" ") {
			return
		}
		if time.Now().After(deadline) {
			s.Fatalf("kubectl get shows %q, and not %q, of %s", row, want, name)
		}
	}
}
