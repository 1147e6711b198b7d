// SPDX-License-Identifier: Apache-2.0

package simulation

import (
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// A hold is a token in a target, from the moment at which it was published.
type hold struct {
	uid    types.UID
	object types.NamespacedName
	secret types.NamespacedName
	token  *token
	came   *answer
}

// How long after their time things may still happen to a published token.
const (
	// renewalGrace is how late a renewal may be if nothing is in the way: its turn at the gate, an exchange of 15 s, and the write.
	renewalGrace = 20 * time.Second
	// unobstructedFor is how long nothing must have been in the way before lateness counts as the operator's fault: a gate that met trouble probes once
	// a minute, and what the API server refused is retried after a minute at the latest.
	unobstructedFor = 100 * time.Second
	// heldUpGrace is how late the report of a delayed renewal may be: one minute, and an attempt that is still running.
	heldUpGrace = time.Minute + renewalGrace
	// readyGrace is how long Ready may stay True after the token expired.
	readyGrace = 2 * time.Second
	// busyFor is how long a reconcile may take that goes through a hanging exchange and a hanging verification, or waits for its cache, before it can
	// report anything.
	busyFor = 45 * time.Second
	// cacheLag is the interval at which a process checks whether its cache shows its own writes, and the reconcile that follows.
	cacheLag = 100*time.Millisecond + 50*time.Millisecond
)

// watch judges a token at the times that matter.
func (j *judge) watch(h hold, obj *v1alpha1.CDPCredential) {
	left, lead := h.token.expires-j.w.now, leadOf(h.token.expires-h.came.sent, obj)
	at := func(d time.Duration, judge func(hold, *v1alpha1.CDPCredential, *written)) {
		if d <= 0 {
			return
		}
		j.w.after(d, func() {
			if obj, rec := j.still(h); rec != nil {
				judge(h, obj, rec)
			}
		})
	}
	at(left+readyGrace, j.unready)
	if j.w.vendors.hosts[h.token.host].repeats() {
		at(left+repeatGrace, j.replaced)
		return
	}
	at(left-lead+renewalGrace, j.renewed)
	at(max(left-lead, 0)+heldUpGrace, j.reported) // a token that was written late may be due for renewal at once
	if pod := j.object(h.object).pod(); lead >= pod+renewalGrace {
		at(left-pod, j.seen)
	}
	at(left, j.unexpired)
}

// still returns the object and the state annotation of a token that is still in its target, nil otherwise.
func (j *judge) still(h hold) (*v1alpha1.CDPCredential, *written) {
	obj, secret := j.w.api.credentials[h.object], j.w.api.secrets[h.secret]
	if obj == nil || obj.UID != h.uid || obj.Spec.Target.Name != h.secret.Name || secret == nil || owner(secret) != obj.Name || j.tokenOf(secret) != h.token.value {
		return nil, nil
	}
	rec := j.record(secret)
	if rec == nil || (rec.issued-h.came.sent).Abs() > time.Second {
		return nil, nil // it has been issued again since
	}
	return obj, rec
}

// renewed requires that a token is renewed in time.
func (j *judge) renewed(h hold, obj *v1alpha1.CDPCredential, rec *written) {
	if j.w.now < rec.expires+renewalGrace-leadOf(rec.expires-rec.issued, obj) {
		return // refresh.before was shortened
	}
	j.heldAgainst(h, max(j.obstructed, j.file(h.uid).obstructed, j.file(h.uid).disturbed), "still has %s", h.token.name())
}

// seen judges what a pod reads that sees a changed Secret only some time later: what it reads when the token expires was decided that much earlier.
// Trouble of neighbours excuses a violation, because it may delay a renewal for longer than such a pod can bear.
func (j *judge) seen(h hold, obj *v1alpha1.CDPCredential, rec *written) {
	if leadOf(rec.expires-rec.issued, obj) < j.object(h.object).pod()+renewalGrace {
		return
	}
	j.heldAgainst(h, max(j.obstructed, j.file(h.uid).obstructed, j.file(h.uid).disturbed), "has a pod that will still read %s after its expiry", h.token.name())
}

// unexpired requires that no target holds an expired token, whatever happens to other clients of the vendor.
func (j *judge) unexpired(h hold, _ *v1alpha1.CDPCredential, _ *written) {
	j.heldAgainst(h, max(j.obstructed, j.file(h.uid).obstructed), "has %s, which has expired", h.token.name())
}

// heldAgainst reports a violation unless something is in the way, or was until recently.
func (j *judge) heldAgainst(h hold, obstructed time.Duration, format string, args ...any) {
	if j.w.now-obstructed < unobstructedFor || j.expect(j.object(h.object)) != "" {
		return
	}
	args = append([]any{h.secret.Name}, append(args, j.w.now-obstructed)...)
	j.w.violated("renewal", "%s "+format+", and nothing has been in the way for %s", args...)
}

// reported requires that a delayed renewal is reported, so that an alert can fire before the token expires.
func (j *judge) reported(h hold, obj *v1alpha1.CDPCredential, rec *written) {
	if obj.Spec.Suspend || j.w.now-j.stirred < heldUpGrace || j.w.now < rec.expires+heldUpGrace-leadOf(rec.expires-rec.issued, obj) || !j.canReport(h) {
		return
	}
	if meta.IsStatusConditionTrue(obj.Status.Conditions, v1alpha1.ConditionRefreshed) {
		j.w.violated("reporting", "the renewal of %s has been due since %s, and status does not report the delay", obj.Name, rec.expires-leadOf(rec.expires-rec.issued, obj))
	}
}

// unready requires that Ready turns False when a token expires, whoever is to blame.
func (j *judge) unready(h hold, obj *v1alpha1.CDPCredential, rec *written) {
	if j.w.now < rec.expires+readyGrace || !j.canReport(h) || !meta.IsStatusConditionTrue(obj.Status.Conditions, v1alpha1.ConditionReady) {
		return
	}
	r := j.w.leader()
	if told := obj.Status.TokenExpirationTime; told != nil && j.w.now < j.obstructed && r.trueTime(told.Time, j.w.now) > j.w.now {
		return // the Secret has since been replaced by one that must not be read
	}
	// There are three workers for all objects, and hanging calls may occupy all of them.
	waits := slices.Contains(r.backlog, h.object) || slices.ContainsFunc(r.running, func(p *pass) bool { return p.name == h.object })
	busy := waits || r.behind(h.object.Namespace) || j.w.now-r.cache.shownAt[h.object] < cacheLag
	if busy && j.w.now < rec.expires+busyFor {
		j.w.after(time.Second, func() {
			if obj, rec := j.still(h); rec != nil {
				j.unready(h, obj, rec)
			}
		})
		return
	}
	j.w.violated("ready", "Ready of %s is True, but its token expired at %s", obj.Name, rec.expires)
}

// canReport reports whether a process can write status: it leads, and the API server works.
func (j *judge) canReport(hold) bool {
	fault := j.w.apiFault
	return j.w.now-j.mute > 10*time.Second && j.w.leader() != nil && fault.refused == 0 && fault.lost == 0 && fault.slow == 0
}

// pod returns how long it takes until a pod of the object sees a changed Secret: a minute or more (64 s measured).
func (o *object) pod() time.Duration {
	n := 0
	for _, c := range o.name.String() {
		n += int(c)
	}
	return time.Minute + time.Duration(n*7%31)*time.Second
}
