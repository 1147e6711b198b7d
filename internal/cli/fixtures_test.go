// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

var update = flag.Bool("update", false, "write the golden files")

// golden compares with a file of testdata, and checks that no line is wider than a terminal but by a word that cannot be broken.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v: make it with -update", err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s: -want +got:\n%s", path, diff)
	}
}

// now is the time of all these tests.
var now = time.Date(2026, 11, 29, 9, 44, 0, 0, time.UTC)

func ago(d time.Duration) metav1.Time   { return metav1.NewTime(now.Add(-d)) }
func agoP(d time.Duration) *metav1.Time { t := ago(d); return &t }
func inP(d time.Duration) *metav1.Time  { return agoP(-d) }

// object is one that is well: its token was issued 44 minutes ago and is renewed in a minute.
func object(change ...func(*v1alpha1.CDPCredential)) *v1alpha1.CDPCredential {
	obj := &v1alpha1.CDPCredential{
		ObjectMeta: metav1.ObjectMeta{Namespace: "marketing", Name: "etl", UID: "uid-1", Generation: 1, CreationTimestamp: ago(24 * time.Hour)},
		Spec: v1alpha1.CDPCredentialSpec{
			Provider:        v1alpha1.Provider{OAuth2: &v1alpha1.OAuth2{TokenURL: "https://auth.example.com/oauth/token"}},
			ClientSecretRef: v1alpha1.ClientSecretReference{Name: "etl-client"},
			Target:          v1alpha1.Target{Name: "etl-token"},
		},
		Status: v1alpha1.CDPCredentialStatus{
			ObservedGeneration: 1, Provider: "oauth2", Reason: "TokenIssued", TargetName: "etl-token", IssuanceMode: "Fresh",
			TokenExpirationTime: inP(16 * time.Minute), LastRefreshTime: agoP(44 * time.Minute), NextRefreshTime: inP(time.Minute),
			Conditions: []metav1.Condition{
				{Type: "Ready", Status: "True", Reason: "TokenValid", LastTransitionTime: ago(20 * time.Hour)},
				{Type: "Refreshed", Status: "True", Reason: "TokenIssued", LastTransitionTime: ago(20 * time.Hour)},
			},
		},
	}
	for _, f := range change {
		f(obj)
	}
	return obj
}

// failing makes the last attempt one that failed, 5 minutes ago.
func failing(reason, state, message string) func(*v1alpha1.CDPCredential) {
	return func(obj *v1alpha1.CDPCredential) {
		obj.Status.Reason, obj.Status.Failures, obj.Status.NextRefreshTime = reason, 3, inP(90*time.Second)
		obj.Status.Conditions[1] = metav1.Condition{Type: "Refreshed", Status: "False", Reason: reason, Message: message, LastTransitionTime: ago(5 * time.Minute)}
		obj.Status.Conditions = append(obj.Status.Conditions, metav1.Condition{Type: state, Status: "True", Reason: reason, Message: message, LastTransitionTime: ago(5 * time.Minute)})
	}
}

// waiting has the operator wait for a change.
func waiting(obj *v1alpha1.CDPCredential) { obj.Status.NextRefreshTime = nil }

// without makes it one that never had a token.
func without(obj *v1alpha1.CDPCredential) {
	obj.Status.TokenExpirationTime, obj.Status.LastRefreshTime, obj.Status.TargetName = nil, nil, ""
	obj.Status.Conditions[0] = metav1.Condition{Type: "Ready", Status: "False", Reason: "NoToken", Message: "The target Secret holds no token yet", LastTransitionTime: ago(5 * time.Minute)}
}

// expired makes it one whose token has ended 2 minutes ago.
func expired(obj *v1alpha1.CDPCredential) {
	obj.Status.TokenExpirationTime, obj.Status.LastRefreshTime = agoP(2*time.Minute), agoP(62*time.Minute)
	obj.Status.Conditions[0] = metav1.Condition{Type: "Ready", Status: "False", Reason: "TokenExpired", LastTransitionTime: ago(2 * time.Minute)}
}

func pod(name string, startedAgo time.Duration, container corev1.Container, volumes ...corev1.Volume) corev1.Pod {
	return corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: "marketing", Name: name},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{container}, Volumes: volumes},
		Status: corev1.PodStatus{Phase: corev1.PodRunning, ContainerStatuses: []corev1.ContainerStatus{{
			Name: container.Name, State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: ago(startedAgo)}},
		}}},
	}
}
