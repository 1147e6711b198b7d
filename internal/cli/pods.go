// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// PodUse is how one container of a pod takes the target Secret.
type PodUse struct {
	Pod       string `json:"pod"`
	Container string `json:"container"`
	// How is mount, subPath, env or envFrom, and Where the path or the variable.
	How   string `json:"how"`
	Where string `json:"where,omitempty"`
	// StartedAt is when the container started. Empty: it does not run.
	StartedAt *metav1.Time `json:"startedAt,omitempty"`
	// StaleSince is when the token changed that the container still has. Empty: it has, or will within about a minute, the current one.
	StaleSince *metav1.Time `json:"staleSince,omitempty"`
}

// kubeletDelay is how long a kubelet takes to show a changed Secret in a mounted volume, with its default settings.
const kubeletDelay = 90 * time.Second

// podUses finds the containers that take the target, sorted by pod.
func podUses(obj *v1alpha1.CDPCredential, pods []corev1.Pod) []PodUse {
	var uses []PodUse
	for i := range pods {
		pod := &pods[i]
		if pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed {
			continue
		}
		volumes := volumesOf(pod, targetOf(obj))
		for _, container := range slices.Concat(sidecars(pod), pod.Spec.Containers) {
			for _, use := range containerUses(&container, volumes, targetOf(obj)) {
				use.Pod, use.Container, use.StartedAt = pod.Name, container.Name, startOf(pod, container.Name)
				use.StaleSince = staleSince(obj, use)
				uses = append(uses, use)
			}
		}
	}
	slices.SortStableFunc(uses, func(a, b PodUse) int { return strings.Compare(a.Pod, b.Pod) })
	return uses
}

// staleSince is empty for a mounted directory: the kubelet brings it up to date.
func staleSince(obj *v1alpha1.CDPCredential, use PodUse) *metav1.Time {
	changed := obj.Status.LastRefreshTime
	fixed := use.How != "mount"
	if !fixed || changed == nil || use.StartedAt == nil || !use.StartedAt.Before(changed) {
		return nil
	}
	return changed
}

// volumesOf names the pod's volumes that hold the Secret.
func volumesOf(pod *corev1.Pod, secret string) []string {
	var names []string
	for i := range pod.Spec.Volumes {
		volume := &pod.Spec.Volumes[i]
		whole := volume.Secret != nil && volume.Secret.SecretName == secret
		part := volume.Projected != nil && slices.ContainsFunc(volume.Projected.Sources, func(source corev1.VolumeProjection) bool {
			return source.Secret != nil && source.Secret.Name == secret
		})
		if whole || part {
			names = append(names, volume.Name)
		}
	}
	return names
}

// sidecars are the init containers that go on running.
func sidecars(pod *corev1.Pod) []corev1.Container {
	var found []corev1.Container
	for i := range pod.Spec.InitContainers {
		if policy := pod.Spec.InitContainers[i].RestartPolicy; policy != nil && *policy == corev1.ContainerRestartPolicyAlways {
			found = append(found, pod.Spec.InitContainers[i])
		}
	}
	return found
}

func containerUses(container *corev1.Container, volumes []string, secret string) []PodUse {
	return append(mountUses(container, volumes), variableUses(container, secret)...)
}

func mountUses(container *corev1.Container, volumes []string) []PodUse {
	var uses []PodUse
	for _, mount := range container.VolumeMounts {
		if !slices.Contains(volumes, mount.Name) {
			continue
		}
		how := "mount"
		if mount.SubPath != "" || mount.SubPathExpr != "" {
			how = "subPath"
		}
		uses = append(uses, PodUse{How: how, Where: mount.MountPath})
	}
	return uses
}

func variableUses(container *corev1.Container, secret string) []PodUse {
	var uses []PodUse
	for _, variable := range container.Env {
		if from := variable.ValueFrom; from != nil && from.SecretKeyRef != nil && from.SecretKeyRef.Name == secret {
			uses = append(uses, PodUse{How: "env", Where: variable.Name})
		}
	}
	for _, from := range container.EnvFrom {
		if from.SecretRef != nil && from.SecretRef.Name == secret {
			uses = append(uses, PodUse{How: "envFrom"})
		}
	}
	return uses
}

func startOf(pod *corev1.Pod, container string) *metav1.Time {
	for _, status := range slices.Concat(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses) {
		if status.Name == container && status.State.Running != nil {
			return &status.State.Running.StartedAt
		}
	}
	return nil
}
