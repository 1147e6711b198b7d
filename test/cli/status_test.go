// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"encoding/json"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/cli"
)

func TestStatusOfAnObjectThatIsWell(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.credential("etl")
	a := s.eventually(0, "TokenRefreshed", "status", "etl")
	for _, text := range []string{"Why    TokenIssued: nothing is wrong, the token works\nSince  ", "pods have a token for another", "Next   the operator renews the token at ", "Token  issued"} {
		if !strings.Contains(a.out, text) {
			t.Errorf("%q is missing in\n%s", text, a.out)
		}
	}
	var report cli.Report
	s.must(json.Unmarshal([]byte(s.expect(0, nil, "status", "etl", "-o", "json").out), &report))
	if !report.Ready || !report.Healthy || report.Turn != "operator" || report.Token == nil || len(report.Events) == 0 {
		t.Errorf("status -o json: %+v", report)
	}
	s.expect(0, []string{"reason: TokenIssued"}, "status", "etl", "-o", "yaml")
	s.expect(0, []string{"NAME  READY  REASON", "etl   yes    TokenIssued"}, "get")
	s.expect(0, []string{s.namespace + "  etl "}, "get", "-A")
}

func TestStatusNamesWhatIsWrong(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.credential("host", func(_ *v1alpha1.CDPCredential, secret *corev1.Secret) { secret.Annotations = nil })
	s.credential("key", func(_ *v1alpha1.CDPCredential, secret *corev1.Secret) { delete(secret.StringData, "client-secret") })
	s.credential("value", func(_ *v1alpha1.CDPCredential, secret *corev1.Secret) { secret.StringData["client-secret"] = "wrong" })
	s.credential("authority", func(_ *v1alpha1.CDPCredential, secret *corev1.Secret) { delete(secret.StringData, "ca.crt") })
	s.must(s.Client.Create(t.Context(), &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace, Name: "foreign-token"}}))
	s.credential("foreign")
	s.credential("down", func(obj *v1alpha1.CDPCredential, secret *corev1.Secret) {
		obj.Spec.Provider.OAuth2.TokenURL = "https://127.0.0.1:9/token"
		secret.Annotations[v1alpha1.AllowedHostsAnnotation] = "127.0.0.1"
	})
	s.credential("private", func(obj *v1alpha1.CDPCredential, secret *corev1.Secret) {
		obj.Spec.Provider.OAuth2.TokenURL = "https://10.0.0.1/token"
		secret.Annotations[v1alpha1.AllowedHostsAnnotation] = "10.0.0.1"
	})
	for name, want := range map[string][]string{
		"host":      {"Why    HostNotAllowed: Secret host-client may not go to 127.0.0.1", "kubectl cdpcred allow host -n " + s.namespace + " --host 127.0.0.1"},
		"key":       {"Why    SecretKeyMissing: a key of Secret key-client is missing"},
		"value":     {"Why    CredentialsRejected: ID, secret or request is refused by 127.0.0.1"},
		"authority": {"Why    EndpointUnavailable: the endpoint's certificate is not trusted"},
		"foreign":   {"Why    TargetNotOwned: Secret foreign-token belongs to somebody else", "kubectl cdpcred adopt foreign"},
		"down":      {"Why    EndpointUnavailable: the connection was refused"},
		"private":   {"Why    EndpointRefused: no address that may be called: 10.0.0.1"},
	} {
		s.eventually(3, want[0], "status", name)
		s.expect(3, want, "status", name)
	}
	s.expect(0, []string{"down"}, "get", "--problems")
}

func TestStatusOfAnotherObjectsEvents(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.credential("etl")
	s.credential("web", func(_ *v1alpha1.CDPCredential, secret *corev1.Secret) { secret.Annotations = nil })
	s.eventually(3, "Warning HostNotAllowed", "status", "web")
	if a := s.eventually(0, "TokenRefreshed", "status", "etl"); strings.Contains(a.out, "HostNotAllowed") {
		t.Errorf("the events are another object's:\n%s", a.out)
	}
}

func TestUsage(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.expect(2, []string{"give the name of one CDPCredential"}, "status")
	s.expect(2, []string{"json or yaml"}, "status", "etl", "-o", "xml")
	s.expect(2, []string{"unknown flag"}, "status", "etl", "--nonsense")
	s.expect(1, []string{"not found"}, "status", "nobody")
	s.expect(0, []string{"no CDPCredentials found"}, "get")
	s.expect(0, []string{"client    v0.0.0-test", "API       cdpcredentials.io/v1alpha1", "operator  unknown"}, "version")
}
