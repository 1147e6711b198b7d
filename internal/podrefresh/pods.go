// SPDX-License-Identifier: Apache-2.0

package podrefresh

import (
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// A refresh is what one pod needs.
type refresh struct {
	namespace, name, uid string
	// value is that of the annotation. Empty: the pod has it already.
	value string
	// secrets are those of the batch that the pod mounts.
	secrets []string
}

// refreshOf returns what a pod needs to show the given versions of Secrets. False: nothing, since it mounts none of them, does not run, or is about to end.
func refreshOf(pod *corev1.Pod, versions map[string]string) (refresh, bool) {
	running := pod.Status.Phase == corev1.PodRunning && pod.Spec.NodeName != ""
	if !running || pod.DeletionTimestamp != nil {
		return refresh{}, false
	}
	r := refresh{namespace: pod.Namespace, name: pod.Name, uid: string(pod.UID)}
	mounted := mountedSecrets(pod)
	for _, secret := range mounted {
		if _, changed := versions[secret]; changed {
			r.secrets = append(r.secrets, secret)
		}
	}
	if len(r.secrets) == 0 {
		return refresh{}, false
	}
	old := pod.Annotations[v1alpha1.SecretVersionAnnotation]
	if value := annotationValue(old, mounted, versions); value != old {
		r.value = value
	}
	return r, true
}

// mountedSecrets returns the Secrets of a pod's volumes, sorted. Environment variables are none: their kubelet reads them once.
func mountedSecrets(pod *corev1.Pod) []string {
	names := map[string]bool{}
	for i := range pod.Spec.Volumes {
		volume := &pod.Spec.Volumes[i]
		if volume.Secret != nil {
			names[volume.Secret.SecretName] = true
		}
		if volume.Projected == nil {
			continue
		}
		for _, source := range volume.Projected.Sources {
			if source.Secret != nil {
				names[source.Secret.Name] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(names))
}

// annotationValue returns the annotation's new value. Versions of other Secrets stay as long as the pod mounts them; what cannot be read goes.
func annotationValue(old string, mounted []string, versions map[string]string) string {
	known := map[string]string{}
	for entry := range strings.SplitSeq(old, ",") {
		if name, version, ok := strings.Cut(entry, "="); ok {
			known[name] = version
		}
	}
	maps.Copy(known, versions)
	var entries []string
	for _, name := range mounted {
		if version := known[name]; version != "" {
			entries = append(entries, name+"="+version)
		}
	}
	return strings.Join(entries, ",")
}
