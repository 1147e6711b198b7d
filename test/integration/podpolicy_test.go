// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/podrefresh"
)

// podRefreshRoles returns what config/pod-refresh adds, in its order: the policy first.
func podRefreshRoles() []client.Object {
	const folder = "../../config/pod-refresh/"
	return readRoles(folder+"policy.yaml", folder+"policy_binding.yaml", folder+"role.yaml", folder+"role_binding.yaml")
}

// refreshingRoles returns those and the operator's own.
func refreshingRoles() []client.Object { return append(operatorRoles(), podRefreshRoles()...) }

// runPod creates a pod that mounts Secrets, and sets its phase to Running, because there are no nodes.
func (s *stage) runPod(name string, secrets ...string) *corev1.Pod {
	s.Helper()
	pod := &corev1.Pod{ObjectMeta: s.meta(name), Spec: corev1.PodSpec{NodeName: "nowhere", Containers: []corev1.Container{{Name: "main", Image: "example.com/app:1"}}}}
	pod.Labels, pod.Annotations, pod.Finalizers = map[string]string{"app": name}, map[string]string{"example.com/kept": "yes"}, []string{"example.com/kept"}
	for _, secret := range secrets {
		pod.Spec.Volumes = append(pod.Spec.Volumes, corev1.Volume{Name: secret, VolumeSource: corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{SecretName: secret}}})
	}
	s.must(s.Client.Create(s.Context(), pod))
	s.must(s.Client.Status().Patch(s.Context(), pod, client.RawPatch(types.MergePatchType, []byte(`{"status":{"phase":"Running"}}`))))
	s.Cleanup(func() { // nobody else removes its finalizer
		_ = s.Client.Patch(context.Background(), pod, client.RawPatch(types.MergePatchType, []byte(`{"metadata":{"finalizers":null}}`)))
		_ = s.Client.Delete(context.Background(), pod, client.GracePeriodSeconds(0))
	})
	return pod
}

// TestPodPolicyLeavesTheOperatorOneAnnotation: with the rights of config/pod-refresh, the operator's ServiceAccount can change a pod's annotation
// cdpcredentials.io/secret-version, and nothing else of a pod, by any verb.
func TestPodPolicyLeavesTheOperatorOneAnnotation(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	id, err := s.grant(s.Context(), refreshingRoles(), "pods")
	s.must(err)
	operator, err := kubernetes.NewForConfig(id.config)
	s.must(err)
	api, err := podrefresh.NewAPI(id.config, nil)
	s.must(err)
	pod := s.runPod("etl", "etl-token")

	patch := func(kind types.PatchType, body string) error {
		_, err := operator.CoreV1().Pods(s.namespace).Patch(s.Context(), pod.Name, kind, []byte(body), metav1.PatchOptions{})
		return err
	}
	const image = `{"spec":{"containers":[{"name":"main","image":"example.com/evil:%d"}]}}`
	tries := 0
	s.until(patience, "the policy", func() error {
		tries++
		if err := patch(types.StrategicMergePatchType, fmt.Sprintf(image, tries)); !apierrors.IsInvalid(err) {
			return fmt.Errorf("another image: %w", err)
		}
		return nil
	})
	s.must(api.Annotate(s.Context(), s.namespace, pod.Name, string(pod.UID), "etl-token=1"))
	s.must(api.Annotate(s.Context(), s.namespace, pod.Name, string(pod.UID), "etl-token=2"))
	if err := api.Annotate(s.Context(), s.namespace, pod.Name, "another", "etl-token=3"); !errors.Is(err, podrefresh.ErrGone) {
		t.Errorf("a pod with another UID: %v, want %v", err, podrefresh.ErrGone)
	}
	page, err := api.List(s.Context(), s.namespace, 10, "")
	s.must(err)
	if len(page.Items) != 1 || page.Items[0].Annotations[v1alpha1.SecretVersionAnnotation] != "etl-token=2" {
		t.Fatalf("after %d attempts the pods are %+v", tries, page.Items)
	}
	if generation := page.Items[0].Generation; generation != int64(tries) && generation != 0 { // a pod has none before Kubernetes 1.33
		t.Errorf("after %d attempts the pod's generation is %d", tries, generation)
	}

	for name, body := range map[string]string{
		"image":              fmt.Sprintf(image, 0),
		"deadline":           `{"spec":{"activeDeadlineSeconds":1}}`,
		"label":              `{"metadata":{"labels":{"app":"web"}}}`,
		"no labels":          `{"metadata":{"labels":null}}`,
		"another annotation": `{"metadata":{"annotations":{"cdpcredentials.io/other":"x"}}}`,
		"a changed one":      `{"metadata":{"annotations":{"example.com/kept":"no"}}}`,
		"one less":           `{"metadata":{"annotations":{"example.com/kept":null}}}`,
		"one less, with it":  `{"metadata":{"annotations":{"example.com/kept":null,"cdpcredentials.io/secret-version":"x=1"}}}`,
		"finalizer":          `{"metadata":{"finalizers":null}}`,
		"owner":              `{"metadata":{"ownerReferences":[{"apiVersion":"v1","kind":"ConfigMap","name":"x","uid":"y"}]}}`,
	} {
		if err := patch(types.MergePatchType, body); !apierrors.IsInvalid(err) || !strings.Contains(err.Error(), "the operator may change n") {
			t.Errorf("%s: %v, want a refusal by the policy", name, err)
		}
	}
	for name, err := range map[string]error{
		"delete": operator.CoreV1().Pods(s.namespace).Delete(s.Context(), pod.Name, metav1.DeleteOptions{}),
		"evict":  operator.CoreV1().RESTClient().Post().Namespace(s.namespace).Resource("pods").Name(pod.Name).SubResource("eviction").Body([]byte(`{}`)).Do(s.Context()).Error(),
		"status": operator.CoreV1().RESTClient().Patch(types.MergePatchType).Namespace(s.namespace).Resource("pods").Name(pod.Name).SubResource("status").Body([]byte(`{"status":{"phase":"Failed"}}`)).Do(s.Context()).Error(),
		"get": func() error {
			_, err := operator.CoreV1().Pods(s.namespace).Get(s.Context(), pod.Name, metav1.GetOptions{})
			return err
		}(),
	} {
		if !apierrors.IsForbidden(err) {
			t.Errorf("%s: %v, want Forbidden", name, err)
		}
	}
	// The policy applies to the operator only.
	s.must(s.Client.Patch(s.Context(), pod, client.RawPatch(types.StrategicMergePatchType, []byte(`{"spec":{"containers":[{"name":"main","image":"example.com/app:2"}]}}`))))
}
