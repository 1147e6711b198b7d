// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cdpcredentials/cdp-credential-operator/internal/credential"
	"github.com/cdpcredentials/cdp-credential-operator/internal/podrefresh"
)

// A PodRefresher tells the pods that mount a Secret of its writes, soon, and what became of that.
type PodRefresher interface {
	Enqueue(podrefresh.Write)
	Result(object types.NamespacedName) (podrefresh.Result, bool)
}

// tellPods has the target's pods told of the data that a reconcile has written.
func (r *CDPCredentialReconciler) tellPods(before, after *credential.State, cache *credential.ObjectCache, result credential.Result) {
	if r.Pods == nil || !cache.Pods.WantsPodsTold(after, result, before.Target.DataRevision(before.Object.Name)) {
		return
	}
	_, version := credential.SplitVersion(after.Target.Version)
	r.Pods.Enqueue(podrefresh.Write{
		Object: client.ObjectKeyFromObject(after.Object), Secret: after.Target.Name, Version: version, Urgent: credential.EndsOldToken(after),
	})
}

// recallPods remembers what became of the last write that pods were told of.
func (r *CDPCredentialReconciler) recallPods(name types.NamespacedName, cache *credential.ObjectCache) {
	if r.Pods == nil {
		return
	}
	if result, ok := r.Pods.Result(name); ok {
		cache.Pods.Status = credential.NewPodsStatus(result.Mounting, result.Refreshed, result.Reason)
	}
}
