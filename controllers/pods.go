// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cdpcredentials/cdp-credential-operator/internal/credential"
	"github.com/cdpcredentials/cdp-credential-operator/internal/podrefresh"
)

// A PodRefresher tells the pods that mount a Secret of its writes, soon, and what became of that.
type PodRefresher interface {
	Enqueue(podrefresh.Write)
	Result(object types.NamespacedName) (podrefresh.Result, bool)
}

// EnablePodRefresh adds a PodRefresher to the manager, for spec.target.refreshPods. The reconciler's Clock has no timers, so it takes one that has.
func (r *CDPCredentialReconciler) EnablePodRefresh(mgr ctrl.Manager, timers clock.Clock) error {
	api, err := podrefresh.NewAPI(mgr.GetConfig(), mgr.GetHTTPClient())
	if err != nil {
		return err
	}
	refresher := podrefresh.New(podrefresh.Options{API: api, Clock: timers, Jitter: r.Jitter, Wake: r.Wake, Observe: r.Metrics.PodRefreshed})
	r.Pods = refresher
	return mgr.Add(refresher)
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
