// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

func TestStatusNamesTheCauseInThreeLines(t *testing.T) {
	t.Parallel()
	mount := corev1.Container{Name: "app", VolumeMounts: []corev1.VolumeMount{{Name: "token", MountPath: "/var/run/cdp"}}}
	subPath := corev1.Container{Name: "app", VolumeMounts: []corev1.VolumeMount{{Name: "token", MountPath: "/etc/token", SubPath: "token"}}}
	variable := corev1.Container{Name: "job", Env: []corev1.EnvVar{{Name: "TOKEN", ValueFrom: &corev1.EnvVarSource{
		SecretKeyRef: &corev1.SecretKeySelector{LocalObjectReference: corev1.LocalObjectReference{Name: "etl-token"}, Key: "token"},
	}}}}
	volume := corev1.Volume{Name: "token", VolumeSource: corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{SecretName: "etl-token"}}}
	pods := []corev1.Pod{
		pod("web-6c8f7d9b5-x2k4p", 20*time.Hour, mount, volume), pod("report-28401", 20*time.Hour, variable), pod("report-28402", 2*time.Minute, variable),
		pod("batch-0", 3*time.Hour, subPath, volume), pod("other", time.Hour, corev1.Container{Name: "app"}),
	}
	event := func(age time.Duration, kind, reason, note string) eventsv1.Event {
		return eventsv1.Event{Type: kind, Reason: reason, Note: note, EventTime: metav1.NewMicroTime(now.Add(-age)), Regarding: corev1.ObjectReference{UID: "uid-1"}}
	}
	host := "Secret etl-client does not allow its values to be sent to auth.example.com; if that host is right, whoever may change the Secret allows it with: " +
		"kubectl annotate secret -n marketing etl-client --overwrite 'cdpcredentials.io/allowed-hosts=auth.example.com'"
	for name, o := range map[string]observation{
		"well": {object: object(), pods: pods, events: []eventsv1.Event{event(20*time.Hour, "Normal", "TokenRefreshed", "a new token is in Secret etl-token")}},
		"endpoint-down": {object: object(failing("EndpointUnavailable", "Reconciling",
			"auth.example.com: the connection was refused; the operator retries"))},
		"ca-wrong": {object: object(failing("EndpointUnavailable", "Reconciling",
			"auth.example.com: the endpoint's certificate is not trusted; put a private CA, as PEM, under the key ca.crt of Secret etl-client, or in spec.tls.caBundle "+
				"with the annotation cdpcredentials.io/allowed-ca on that Secret; the operator retries"))},
		"proxy-in-the-way": {object: object(failing("EndpointUnavailable", "Reconciling",
			"auth.example.com: the proxy refused the connection; the operator retries"))},
		"wrong-secret": {object: object(expired, failing("CredentialsRejected", "Stalled",
			"the endpoint refused the request: HTTP 401, error invalid_client: check the values of Secret etl-client, what spec.provider.oauth2 asks for, and the client at the vendor"))},
		"foreign-target": {object: object(without, failing("TargetNotOwned", "Stalled",
			"Secret etl-token exists and was not made by this object: choose another spec.target.name, delete the Secret, or hand it over"), waiting)},
		"host-not-allowed": {
			object: object(without, failing("HostNotAllowed", "Stalled", host), waiting),
			events: []eventsv1.Event{event(5*time.Minute, "Warning", "HostNotAllowed", host), event(6*time.Minute, "Warning", "SecretNotFound", "create the Secret")},
		},
		"host-closed-by-administrator": {object: object(without, failing("HostNotAllowed", "Stalled",
			"auth.example.com is not among the hosts that the administrator allows with --token-hosts-only: use another one, or ask whoever runs the operator"), waiting)},
		"budget-spent": {object: object(failing("BudgetSpent", "Stalled", "the 20 tokens of spec.refresh.maxPerDay were issued today"), func(obj *v1alpha1.CDPCredential) {
			obj.Spec.Refresh, obj.Status.Issuance = &v1alpha1.Refresh{MaxPerDay: new(int32(20))}, &v1alpha1.Issuance{Day: "2026-11-29", Count: 20}
			obj.Status.NextRefreshTime = new(metav1.NewTime(time.Date(2026, 11, 30, 0, 0, 0, 0, time.UTC)))
		})},
		"expired-a-moment-ago": {object: object(func(obj *v1alpha1.CDPCredential) {
			obj.Status.TokenExpirationTime, obj.Status.NextRefreshTime = agoP(time.Minute), agoP(90*time.Second)
		})},
		"suspended": {object: object(func(obj *v1alpha1.CDPCredential) {
			obj.Spec.Suspend, obj.Status.Reason, obj.Status.NextRefreshTime = true, "Suspended", nil
			obj.Status.Conditions[0].Reason = "Suspended"
			obj.ManagedFields = []metav1.ManagedFieldsEntry{{Manager: "kubectl-patch", Time: agoP(time.Hour), FieldsV1: metav1.NewFieldsV1(`{"f:spec":{"f:suspend":{}}}`)}}
		})},
		"api-server-slow": {object: object(failing("APIUnavailable", "Reconciling",
			"the API server refuses the operator's request to get secrets etl-client (Timeout): the operator retries"))},
		"policy-refuses": {object: object(failing("TargetUnusable", "Stalled",
			"the API server refuses the write of Secret etl-token (HTTP 403 Forbidden, by the policy no-secrets): whoever runs the policy is to allow it; the operator retries"))},
		"leader-gone": {object: object(func(obj *v1alpha1.CDPCredential) {
			obj.Status.NextRefreshTime = agoP(12 * time.Minute)
		})},
		"never-seen": {object: object(func(obj *v1alpha1.CDPCredential) {
			obj.CreationTimestamp, obj.Status = ago(3*time.Minute), v1alpha1.CDPCredentialStatus{ObservedGeneration: -1}
		})},
		"just-made": {object: object(func(obj *v1alpha1.CDPCredential) {
			obj.CreationTimestamp, obj.Status = ago(2*time.Second), v1alpha1.CDPCredentialStatus{ObservedGeneration: -1}
		})},
		"token-rejected": {object: object(func(obj *v1alpha1.CDPCredential) {
			obj.Spec.Verify = &v1alpha1.Verify{URL: "https://api.example.com/me"}
			obj.Status.Conditions = append(obj.Status.Conditions, metav1.Condition{
				Type: "Verified", Status: "False", Reason: "TokenRejected", LastTransitionTime: ago(time.Minute), Message: "the API does not accept the token: HTTP 401",
			})
		})},
		"pods-not-told": {pods: pods[:1], object: object(func(obj *v1alpha1.CDPCredential) {
			obj.Spec.Target.RefreshPods = true
			obj.Status.Pods = &v1alpha1.PodsStatus{Mounting: 3, Refreshed: 1, Reason: "PodRefreshForbidden", Message: "the operator may not patch pods: ask whoever runs it to grant the right"}
		})},
		"deleting": {object: object(func(obj *v1alpha1.CDPCredential) {
			obj.DeletionTimestamp, obj.Finalizers = agoP(time.Hour), []string{"example.com/keep"}
		})},
		"contested":      {object: object(failing("TargetContested", "Reconciling", "another writer keeps undoing what the operator writes to Secret etl-token"))},
		"unknown-reason": {object: object(failing("FromTheFuture", "Stalled", "do this; or that"))},
		"hostile-text": {
			object: object(failing("InvalidSpec", "Stalled", "red \x1b[31m\u202e text\nand a line\u009b")),
			hidden: []string{"pods: pods is forbidden: User \"jane\" cannot list resource \"pods\" in API group \"\" in the namespace \"marketing\""},
		},
		"basic": {object: object(func(obj *v1alpha1.CDPCredential) {
			obj.Spec.Provider = v1alpha1.Provider{Basic: &v1alpha1.Basic{}}
			obj.Status.Provider, obj.Status.TokenExpirationTime, obj.Status.NextRefreshTime, obj.Status.IssuanceMode = "basic", nil, nil, ""
		})},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := reportOf(o, now)
			p := &page{}
			p.report(&r, now)
			golden(t, "status/"+name+".txt", p.String())
			for line := range strings.Lines(p.String()) {
				if width := len([]rune(strings.TrimSuffix(line, "\n"))); width > 80 {
					t.Errorf("%d columns: %s", width, line)
				}
			}
			if strings.ContainsAny(p.String(), "\x1b\u202e\u009b") {
				t.Error("control characters of others reach the terminal")
			}
		})
	}
}

func TestStatusHasColourOnlyWhereItIsWanted(t *testing.T) {
	t.Parallel()
	r := reportOf(observation{object: object()}, now)
	p := &page{colour: true}
	p.report(&r, now)
	if !strings.HasPrefix(p.String(), "\x1b[1mWhy    \x1b[0m\x1b[32mTokenIssued") {
		t.Errorf("no colour: %q", p.String()[:40])
	}
}

func TestStatusAsJSON(t *testing.T) {
	t.Parallel()
	r := reportOf(observation{object: object(failing("EndpointUnavailable", "Reconciling", "auth.example.com: the connection was refused; the operator retries"))}, now)
	content, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "status/endpoint-down.json", string(content)+"\n")
}

func TestGet(t *testing.T) {
	t.Parallel()
	named := func(namespace, name string, change ...func(*v1alpha1.CDPCredential)) v1alpha1.CDPCredential {
		obj := object(change...)
		obj.Namespace, obj.Name = namespace, name
		return *obj
	}
	objects := []v1alpha1.CDPCredential{
		named("marketing", "etl"), named("marketing", "web", without, failing("HostNotAllowed", "Stalled", "Secret etl-client does not allow; do"), waiting),
		named("sales", "crm", failing("Throttled", "Reconciling", "HTTP 429")),
	}
	for name, test := range map[string]struct {
		objects       []v1alpha1.CDPCredential
		all, problems bool
	}{
		"namespace": {objects[:2], false, false}, "all": {objects, true, false}, "problems": {objects, true, true}, "none": {nil, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := &page{}
			p.rows(rowsOf(test.objects, test.problems, now), test.all, now)
			golden(t, "get/"+name+".txt", p.String())
		})
	}
}
