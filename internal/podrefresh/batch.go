// SPDX-License-Identifier: Apache-2.0

package podrefresh

import (
	"cmp"
	"errors"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// A batch counts what becomes of writes that pods are told of together.
type batch struct {
	mu     sync.Mutex
	writes map[string]queued
	counts map[string]Result
	// failures counts the requests that failed, and failure is the first.
	failures int
	failure  error
}

func newBatch(writes []queued) *batch {
	b := &batch{writes: map[string]queued{}, counts: map[string]Result{}}
	for _, w := range writes {
		b.writes[w.Secret] = w
	}
	return b
}

func (b *batch) versions() map[string]string {
	versions := map[string]string{}
	for secret, w := range b.writes {
		versions[secret] = w.Version
	}
	return versions
}

// failed says that it is not known which pods mount the Secrets.
func (b *batch) failed(err error) {
	b.failures, b.failure = 1, err
	for secret := range b.writes {
		b.counts[secret] = Result{Reason: reasonOf(err)}
	}
}

// told counts a pod.
func (b *batch) told(pod refresh, err error, now time.Time, observe func(time.Duration)) {
	if errors.Is(err, ErrGone) {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if err != nil {
		b.failures++
		b.failure = cmp.Or(b.failure, err)
	}
	for _, secret := range pod.secrets {
		count := b.counts[secret]
		count.Mounting++
		if err == nil {
			count.Refreshed++
		} else {
			count.Reason = worse(count.Reason, reasonOf(err))
		}
		b.counts[secret] = count
		if err == nil && pod.value != "" {
			observe(now.Sub(b.writes[secret].written))
		}
	}
}

// reasonOf returns why a request failed. Admission policies answer Invalid unless they say otherwise.
func reasonOf(err error) string {
	if apierrors.IsForbidden(err) || apierrors.IsInvalid(err) || apierrors.IsUnauthorized(err) {
		return v1alpha1.EventPodRefreshForbidden
	}
	return v1alpha1.EventPodRefreshFailed
}

// worse returns the reason for which somebody has to do something, if one of the two is that.
func worse(reason, other string) string {
	if reason == v1alpha1.EventPodRefreshForbidden {
		return reason
	}
	return other
}

// mayWorkLater reports whether the same request may be answered otherwise soon.
func mayWorkLater(err error) bool {
	return !errors.Is(err, ErrGone) && reasonOf(err) == v1alpha1.EventPodRefreshFailed
}
