// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"time"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// A PodsMemory is what is known of the pods that mount the target.
type PodsMemory struct {
	// Status is what became of the last write that pods were told of. Nil: this process knows of none.
	Status *v1alpha1.PodsStatus
	// CaughtUp says that this process has seen to the last write of the one before.
	CaughtUp bool
}

// recentWrite is how long ago a token may have been issued for its pods to be told of it by a process that did not write it: a kubelet that was not
// told has noticed by then.
const recentWrite = 2 * time.Minute

// Recall puts into a state what is known of pods.
func (m *PodsMemory) Recall(s *State) {
	status := &s.Object.Status
	switch {
	case !s.Object.Spec.Target.RefreshPods:
		m.Status, status.Pods = nil, nil
	case !s.PodRefresh:
		status.Pods = &v1alpha1.PodsStatus{Reason: v1alpha1.EventPodRefreshDisabled, Message: podRefreshDisabled}
	case m.Status != nil:
		status.Pods = m.Status
	case status.Pods != nil && status.Pods.Reason == v1alpha1.EventPodRefreshDisabled:
		status.Pods = nil // it is enabled now
	}
}

// WantsPodsTold reports whether to tell pods about the target's data, which had the given revision before this reconcile. Call it once for each reconcile.
func (m *PodsMemory) WantsPodsTold(s *State, result Result, revision string) bool {
	if !s.Object.Spec.Target.RefreshPods || !s.PodRefresh || !s.Target.HasToken() || s.Target.Owner() != s.Object.Name {
		return false
	}
	wrote := result.Wrote && s.Target.DataRevision(s.Object.Name) != revision
	left := !m.CaughtUp && !result.Wrote && s.Now.Sub(s.Target.Persisted.IssuedAt) < recentWrite
	m.CaughtUp = true
	return wrote || left
}

// podsArePrompt reports whether pods see a new token within seconds: the last time that they were told of one, all took it.
func podsArePrompt(s *State) bool {
	pods := s.Object.Status.Pods
	return s.Object.Spec.Target.RefreshPods && pods != nil && pods.Reason == ""
}

// NewPodsStatus is what status says of pods that were told. The reason is empty if all were.
func NewPodsStatus(mounting, refreshed int32, reason string) *v1alpha1.PodsStatus {
	status := &v1alpha1.PodsStatus{Mounting: mounting, Refreshed: refreshed, Reason: reason}
	switch reason {
	case v1alpha1.EventPodRefreshForbidden:
		status.Message = podRefreshForbidden
	case v1alpha1.EventPodRefreshFailed:
		status.Message = podRefreshFailed
	}
	return status
}

// NewPodsWarning is what status says of pods if there is something to warn of, for the first time since it last worked. Nil: there is not.
func NewPodsWarning(before, after *v1alpha1.PodsStatus) *v1alpha1.PodsStatus {
	if after == nil || after.Reason == "" {
		return nil
	}
	enabled := before != nil && before.Reason == v1alpha1.EventPodRefreshDisabled && after.Reason != v1alpha1.EventPodRefreshDisabled
	if before != nil && before.Reason != "" && !enabled {
		return nil
	}
	return after
}

// What users read in status.pods and in events.
const (
	podRefreshDisabled = "spec.target.refreshPods has no effect: ask whoever runs the operator to turn it on with --enable-pod-refresh and " +
		"the rights of config/pod-refresh, or remove it"
	podRefreshForbidden = "the API server does not let the operator annotate the pods that mount the target, so they see a new token a minute later: " +
		"ask whoever runs the cluster for the operator's rights (config/pod-refresh) and for admission policies"
	podRefreshFailed = "not all pods that mount the target could be annotated, so they see a new token a minute later: the operator retries with the next one; " +
		"if this lasts, see the operator's log"
)
