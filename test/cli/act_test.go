// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"encoding/json"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/cli"
	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange/exchangetest"
)

func TestRenewWaitsForTheToken(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	asked := s.credential("etl")
	s.eventually(0, "nothing is wrong", "status", "etl")
	before := s.endpoints.Issued(exchangetest.OAuth2, asked.ID)
	s.expect(0, []string{"etl has a token, issued at ", "good until "}, "renew", "etl", "--wait")
	if issued := s.endpoints.Issued(exchangetest.OAuth2, asked.ID) - before; issued != 1 {
		t.Errorf("%d tokens were issued, not 1", issued)
	}
	s.expect(0, []string{"a new token was requested for etl"}, "renew", "etl")
}

func TestRenewSaysWhyItFailed(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.credential("etl", func(obj *v1alpha1.CDPCredential, secret *corev1.Secret) {
		obj.Spec.Provider.OAuth2.TokenURL = "https://127.0.0.1:9/token"
		secret.Annotations[v1alpha1.AllowedHostsAnnotation] = "127.0.0.1"
	})
	s.eventually(3, "EndpointUnavailable", "status", "etl")
	s.expect(3, []string{"Why    EndpointUnavailable: the connection was refused"}, "renew", "etl", "--wait")
}

func TestRenewGivesUp(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.credential("etl", func(obj *v1alpha1.CDPCredential, secret *corev1.Secret) { secret.Annotations = nil })
	s.eventually(3, "HostNotAllowed", "status", "etl")
	s.expect(4, []string{"Why    HostNotAllowed", "has not made the attempt within 1s"}, "renew", "etl", "--wait", "--timeout", "1s")
}

func TestSuspendAndResume(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.credential("etl")
	s.eventually(0, "nothing is wrong", "status", "etl")
	s.expect(0, []string{"etl is suspended: its token is not renewed, and pods have none after ", "kubectl cdpcred resume etl -n " + s.namespace}, "suspend", "etl")
	s.eventually(0, "Why    Suspended: spec.suspend is true", "status", "etl")
	s.eventually(0, "(Suspended)", "status", "etl")
	s.expect(0, []string{"Suspended"}, "get", "etl")
	var report cli.Report
	s.must(json.Unmarshal([]byte(s.run("status", "etl", "-o", "json").out), &report))
	if report.Since == nil || report.NextAttempt != nil {
		t.Errorf("since %v, next attempt %v", report.Since, report.NextAttempt)
	}
	s.expect(3, []string{"resume it first"}, "renew", "etl")
	a := s.expect(0, []string{"etl is not suspended"}, "resume", "etl")
	if strings.Contains(a.err, "note:") {
		t.Errorf("nobody else sets spec.suspend: %s", a.err)
	}
	s.eventually(0, "nothing is wrong", "status", "etl")
}

func TestSuspendSaysWhoSetsItBack(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.credential("etl", func(obj *v1alpha1.CDPCredential, _ *corev1.Secret) { obj.Spec.Suspend = true })
	obj := &v1alpha1.CDPCredential{ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace, Name: "etl"}}
	s.must(s.Client.Patch(t.Context(), obj, client.RawPatch("application/merge-patch+json", []byte(`{"spec":{"suspend":false}}`)), client.FieldOwner("argocd-controller")))
	s.must(s.Client.Patch(t.Context(), obj, client.RawPatch("application/merge-patch+json", []byte(`{"spec":{"suspend":true}}`)), client.FieldOwner("argocd-controller")))
	s.expect(0, []string{"note: argocd-controller sets spec.suspend, too"}, "suspend", "etl")
}

func TestAllowAHost(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.credential("etl", func(_ *v1alpha1.CDPCredential, secret *corev1.Secret) { secret.Annotations = nil })
	s.eventually(3, "HostNotAllowed", "status", "etl")
	host := s.endpoints.Host(exchangetest.OAuth2)
	means := "any CDPCredential of namespace " + s.namespace
	s.expect(2, []string{means, "nobody can be asked here"}, "allow", "etl", "--host", host)
	s.expect(2, []string{"say what to allow"}, "allow", "etl")
	s.eventually(3, "HostNotAllowed", "status", "etl") // nothing was changed
	s.expect(0, []string{means, "Secret etl-client allows it"}, "allow", "etl", "--host", host, "--yes")
	s.eventually(0, "nothing is wrong", "status", "etl")
	s.expect(0, []string{"allows that already"}, "allow", "etl", "--host", host)
}

func TestAllowACertificateAuthority(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.credential("etl", func(obj *v1alpha1.CDPCredential, secret *corev1.Secret) {
		delete(secret.StringData, "ca.crt")
		obj.Spec.TLS = &v1alpha1.TLS{CABundle: s.endpoints.CABundle()}
	})
	s.eventually(3, "CANotAllowed", "status", "etl")
	s.expect(0, []string{"CN=exchangetest authority (until 2100-01-01)", "sha256:"}, "allow", "etl", "--ca", "--yes")
	s.eventually(0, "nothing is wrong", "status", "etl")
	s.expect(0, []string{"allows that already"}, "allow", "etl", "--ca")
}

func TestAdopt(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.must(s.Client.Create(t.Context(), &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace, Name: "etl-token"}, StringData: map[string]string{"own": "value"}}))
	s.credential("etl")
	s.eventually(3, "TargetNotOwned", "status", "etl")
	s.interactive = true
	s.runWith("no\n", "adopt", "etl").check(t, 1, []string{"becomes the target of etl", "unless it holds keys of others", "nothing was changed"}, []string{"adopt"})
	s.runWith("yes\n", "adopt", "etl").check(t, 0, []string{"Secret etl-token is handed over to etl"}, []string{"adopt"})
	s.eventually(0, "nothing is wrong", "status", "etl")
	s.expect(0, []string{"is etl's already"}, "adopt", "etl")
	var secret corev1.Secret
	s.must(s.Client.Get(t.Context(), client.ObjectKey{Namespace: s.namespace, Name: "etl-token"}, &secret))
	if len(secret.Data["token"]) == 0 || string(secret.Data["own"]) != "value" {
		t.Error("the Secret does not hold the token beside its own key")
	}
}

func TestAdoptNothing(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.credential("etl", func(obj *v1alpha1.CDPCredential, secret *corev1.Secret) { secret.Annotations = nil })
	s.expect(1, []string{"there is no Secret etl-token to adopt"}, "adopt", "etl")
}
