// SPDX-License-Identifier: Apache-2.0

package podrefresh

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// running is a pod with these volumes.
func running(volumes ...corev1.Volume) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: "marketing", Name: "etl-1", UID: "u1"},
		Spec:       corev1.PodSpec{NodeName: "node-1", Volumes: volumes},
		Status:     corev1.PodStatus{Phase: corev1.PodRunning},
	}
}

func secretVolume(name string) corev1.Volume {
	return corev1.Volume{Name: name, VolumeSource: corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{SecretName: name}}}
}

func projectedVolume(names ...string) corev1.Volume {
	sources := []corev1.VolumeProjection{{ServiceAccountToken: &corev1.ServiceAccountTokenProjection{Path: "token"}}}
	for _, name := range names {
		sources = append(sources, corev1.VolumeProjection{Secret: &corev1.SecretProjection{LocalObjectReference: corev1.LocalObjectReference{Name: name}}})
	}
	return corev1.Volume{Name: "all", VolumeSource: corev1.VolumeSource{Projected: &corev1.ProjectedVolumeSource{Sources: sources}}}
}

// TestRefreshOf: which pods are told of the Secrets etl-token and ads-token, and what their annotation says then.
func TestRefreshOf(t *testing.T) {
	t.Parallel()
	versions := map[string]string{"etl-token": "7", "ads-token": "9"}
	with := func(pod *corev1.Pod, change func(*corev1.Pod)) *corev1.Pod { change(pod); return pod }
	annotated := func(value string, volumes ...corev1.Volume) *corev1.Pod {
		return with(running(volumes...), func(p *corev1.Pod) { p.Annotations = map[string]string{v1alpha1.SecretVersionAnnotation: value} })
	}
	etl := []string{"etl-token"}
	for name, tc := range map[string]struct {
		pod     *corev1.Pod
		value   string
		secrets []string
	}{
		"a volume":                        {running(secretVolume("etl-token")), "etl-token=7", etl},
		"projected":                       {running(projectedVolume("other", "etl-token")), "etl-token=7", etl},
		"mounted twice":                   {running(secretVolume("etl-token"), projectedVolume("etl-token")), "etl-token=7", etl},
		"both Secrets":                    {running(secretVolume("etl-token"), projectedVolume("ads-token")), "ads-token=9,etl-token=7", []string{"ads-token", "etl-token"}},
		"no volume":                       {pod: running()},
		"another Secret":                  {pod: running(secretVolume("etl-token-2"))},
		"a ConfigMap of that name":        {pod: running(corev1.Volume{Name: "c", VolumeSource: corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{LocalObjectReference: corev1.LocalObjectReference{Name: "etl-token"}}}})},
		"not scheduled":                   {pod: with(running(secretVolume("etl-token")), func(p *corev1.Pod) { p.Spec.NodeName = "" })},
		"still pending":                   {pod: with(running(secretVolume("etl-token")), func(p *corev1.Pod) { p.Status.Phase = corev1.PodPending })},
		"completed":                       {pod: with(running(secretVolume("etl-token")), func(p *corev1.Pod) { p.Status.Phase = corev1.PodSucceeded })},
		"terminating":                     {pod: with(running(secretVolume("etl-token")), func(p *corev1.Pod) { p.DeletionTimestamp = &metav1.Time{Time: time.Unix(1, 0)} })},
		"told of an older version":        {annotated("etl-token=6", secretVolume("etl-token")), "etl-token=7", etl},
		"told of this version":            {annotated("etl-token=7", secretVolume("etl-token")), "", etl},
		"told of another Secret, too":     {annotated("web-token=3,etl-token=6", secretVolume("etl-token"), secretVolume("web-token")), "etl-token=7,web-token=3", etl},
		"told of one that it had mounted": {annotated("web-token=3,etl-token=6", secretVolume("etl-token")), "etl-token=7", etl},
		"somebody wrote nonsense":         {annotated("=,x,etl-token=,,", secretVolume("etl-token")), "etl-token=7", etl},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, ok := refreshOf(tc.pod, versions)
			want := refresh{}
			if tc.secrets != nil {
				want = refresh{namespace: "marketing", name: "etl-1", uid: "u1", value: tc.value, secrets: tc.secrets}
			}
			if diff := cmp.Diff(want, got, cmp.AllowUnexported(refresh{})); diff != "" || ok != (tc.secrets != nil) {
				t.Errorf("%v, -want +got:\n%s", ok, diff)
			}
		})
	}
}
