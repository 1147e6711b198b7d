// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/cli"
	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange/exchangetest"
	"github.com/cdpcredentials/cdp-credential-operator/test/framework"
)

// checkNamed returns the check of that name.
func (s *stage) checkNamed(name string) cli.Check {
	s.Helper()
	var checks []cli.Check
	s.must(json.Unmarshal([]byte(s.run("check", "-o", "json").out), &checks))
	for _, check := range checks {
		if strings.HasPrefix(check.Name, name) {
			return check
		}
	}
	s.Fatalf("no check %s in %+v", name, checks)
	return cli.Check{}
}

// deployment creates a Deployment that claims to run the operator: there are no nodes here.
func (s *stage) deployment(name, account string, ready int32, args ...string) {
	s.Helper()
	labels := map[string]string{"app.kubernetes.io/name": "cdp-credential-operator", "test": name}
	d := &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Namespace: framework.SystemNamespace, Name: name, Labels: labels},
		Spec: appsv1.DeploymentSpec{
			Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels}, Spec: corev1.PodSpec{
				ServiceAccountName: account, Containers: []corev1.Container{{Name: "manager", Image: "manager:test", Args: args}},
			}},
		},
	}
	s.must(s.Client.Create(s.Context(), d))
	s.Cleanup(func() { _ = s.Client.Delete(context.WithoutCancel(s.Context()), d) })
	d.Status = appsv1.DeploymentStatus{Replicas: 1, ReadyReplicas: ready}
	s.must(s.Client.Status().Update(s.Context(), d))
}

// TestCheckOfAnOperator is not parallel, because it is about the whole cluster.
func TestCheckOfAnOperator(t *testing.T) {
	s := newStage(t)
	s.credential("etl", func(obj *v1alpha1.CDPCredential, secret *corev1.Secret) {
		delete(secret.StringData, "ca.crt")
		secret.Annotations[v1alpha1.AllowedCAAnnotation] = "*"
		obj.Spec.TLS = &v1alpha1.TLS{CABundle: s.endpoints.CABundle()}
	})
	if got := s.checkNamed("operator"); got.Result != "problem" || !strings.Contains(got.Message, "no Deployment") {
		t.Errorf("without a Deployment: %+v", got)
	}
	s.deployment("good", "controller-manager", 1, "--leader-elect", "--allowed-cidrs=127.0.0.1/32")
	s.eventually(0, "nothing is wrong", "status", "etl")
	for _, name := range []string{"API server", "clock", "CRD", "operator", "leader", "rights", "admission", "endpoint " + s.endpoints.Host(exchangetest.OAuth2)} {
		if got := s.checkNamed(name); got.Result != "ok" {
			t.Errorf("%+v", got)
		}
	}
	s.deployment("bad", "nobody", 0, "--allowed-cidrs", "10.0.0.0/8", "--watch-namespaces=a,b")
	if got := s.checkNamed("operator " + framework.SystemNamespace + "/bad"); got.Result != "problem" || !strings.Contains(got.Message, "0 of 1 replicas are ready") {
		t.Errorf("a Deployment without pods: %+v", got)
	}
	if got := s.checkNamed("rights of " + framework.SystemNamespace + "/nobody"); got.Result != "problem" || !strings.Contains(got.Message, "create secrets in a") {
		t.Errorf("an account without rights: %+v", got)
	}
	a := s.run("check")
	if first, _, _ := strings.Cut(a.out, "\n"); a.code != 3 || !strings.HasPrefix(first, "PROBLEM  ") {
		t.Errorf("exit code %d, and first %q", a.code, first)
	}
	for line := range strings.Lines(a.out) {
		if len([]rune(line)) > 81 {
			t.Errorf("too wide: %s", line)
		}
	}
}

func TestCheckNamesALeaderThatIsGone(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	// In addition to the real one: there is no Deployment, so the Leases of all namespaces count.
	lease := &coordinationv1.Lease{
		ObjectMeta: metav1.ObjectMeta{Namespace: framework.SystemNamespace, Name: "cdp-credential-operator-0000dead"},
		Spec: coordinationv1.LeaseSpec{
			HolderIdentity: new("manager-0_x"), LeaseDurationSeconds: new(int32(15)), RenewTime: new(metav1.NewMicroTime(time.Now().Add(-10 * time.Minute))),
		},
	}
	s.must(s.Client.Create(t.Context(), lease))
	t.Cleanup(func() { _ = s.Client.Delete(context.WithoutCancel(t.Context()), lease) })
	got := s.checkNamed("leader " + framework.SystemNamespace + "/cdp-credential-operator-0000dead")
	if got.Result != "problem" || !strings.Contains(got.Message, "manager-0_x is gone: it last renewed the Lease 10m") {
		t.Errorf("%+v", got)
	}
}

func TestCheckNamesWhatIsWrongWithEndpoints(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	at := func(name, url string) {
		s.credential(name, func(obj *v1alpha1.CDPCredential, _ *corev1.Secret) {
			obj.Spec.Provider.OAuth2.TokenURL = v1alpha1.HTTPSURL(url)
		})
	}
	at("private", "https://10.11.12.13/token")
	at("nowhere", "https://nowhere.invalid/token")
	if got := s.checkNamed("endpoint 10.11.12.13"); got.Result != "problem" || !strings.Contains(got.Do, "--allowed-cidrs") {
		t.Errorf("%+v", got)
	}
	if got := s.checkNamed("endpoint nowhere.invalid"); got.Result != "problem" || !strings.Contains(got.Message, "the DNS lookup failed") {
		t.Errorf("%+v", got)
	}
}

func TestCheckWithoutAnAPIServer(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	a := s.run("check", "--server", "https://127.0.0.1:9", "--timeout", "5s", "--cache-dir", filepath.Join(s.Temp, "none"))
	a.check(t, 3, []string{"PROBLEM  API server: ", "connection refused", "check the kubeconfig"}, []string{"check"})
}
