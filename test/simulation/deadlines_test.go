// SPDX-License-Identifier: Apache-2.0

package simulation

import (
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// A hold is that a target holds a token, from when that was published on.
type hold struct {
	uid    types.UID
	object types.NamespacedName
	secret types.NamespacedName
	token  *token
	came   *answer
}

// Times by which something must have happened to a token that was published.
const (
	// renewalGrace is how long after its last moment a renewal may be done in a world in which nothing is in the way: that its turn comes at the gate, an
	// exchange of 15 s, and the write.
	renewalGrace = 20 * time.Second
	// unobstructedFor is how long nothing must have been in the way before it is held against the operator: a gate that met trouble lets one call a
	// minute try whether it is over, and what the API server refused is tried again after a minute at the latest.
	unobstructedFor = 100 * time.Second
	// heldUpGrace is how long after the last moment of a renewal it must be told that it is held up: a minute, and an attempt that is under way.
	heldUpGrace = time.Minute + renewalGrace
	// readyGrace is how long after the end of a token Ready may still be True: status is written within that.
	readyGrace = 2 * time.Second
	// busyFor is how long a pass may be over the object that goes through with an exchange and a verification that hang, or that waits for its cache,
	// before it gets to say so.
	busyFor = 45 * time.Second
	// cacheLag is how often a process looks whether its cache shows what it has written itself, and the pass that follows.
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
	at(left-lead+heldUpGrace, j.told)
	if pod := j.object(h.object).pod(); lead >= pod+renewalGrace {
		at(left-pod, j.seen)
	}
	at(left, j.unexpired)
}

// still gives the object and the record of a token that is still held, nil if it is not.
func (j *judge) still(h hold) (*v1alpha1.CDPCredential, *written) {
	obj, secret := j.w.api.credentials[h.object], j.w.api.secrets[h.secret]
	if obj == nil || obj.UID != h.uid || obj.Spec.Target.Name != h.secret.Name || secret == nil || owner(secret) != obj.Name || j.tokenOf(secret) != h.token.value {
		return nil, nil
	}
	rec := j.record(secret)
	if rec == nil || (rec.issued-h.came.sent).Abs() > time.Second {
		return nil, nil // it has been handed out again since
	}
	return obj, rec
}

// renewed judges that a token is renewed when its time has come.
func (j *judge) renewed(h hold, obj *v1alpha1.CDPCredential, rec *written) {
	if j.w.now < rec.expires+renewalGrace-leadOf(rec.expires-rec.issued, obj) {
		return // refresh.before has become shorter
	}
	j.heldAgainst(h, max(j.obstructed, j.file(h.uid).obstructed, j.file(h.uid).disturbed), "still holds %s", h.token.name())
}

// seen judges what a pod holds that sees a changed Secret only some time later: what it has at the end of a token is decided that much earlier. It is to
// be free of that of its neighbours, too, but their trouble may make a renewal later than a pod with so little to spare can bear.
func (j *judge) seen(h hold, obj *v1alpha1.CDPCredential, rec *written) {
	if leadOf(rec.expires-rec.issued, obj) < j.object(h.object).pod()+renewalGrace {
		return
	}
	j.heldAgainst(h, max(j.obstructed, j.file(h.uid).obstructed, j.file(h.uid).disturbed), "has a pod that is going to hold %s beyond its end", h.token.name())
}

// unexpired judges that no token is held when it has expired, whatever happens to other clients of the vendor.
func (j *judge) unexpired(h hold, _ *v1alpha1.CDPCredential, _ *written) {
	j.heldAgainst(h, max(j.obstructed, j.file(h.uid).obstructed), "holds %s, which has expired", h.token.name())
}

// heldAgainst is a violation unless something has been in the way lately, or is.
func (j *judge) heldAgainst(h hold, obstructed time.Duration, format string, args ...any) {
	if j.w.now-obstructed < unobstructedFor || j.expect(j.object(h.object)) != "" {
		return
	}
	args = append([]any{h.secret.Name}, append(args, j.w.now-obstructed)...)
	j.w.violated("renewal", "%s "+format+", and nothing has been in the way for %s", args...)
}

// told judges that a renewal that is held up is told: an alert may come before the token is dead.
func (j *judge) told(h hold, obj *v1alpha1.CDPCredential, rec *written) {
	if obj.Spec.Suspend || j.w.now-j.stirred < heldUpGrace || j.w.now < rec.expires+heldUpGrace-leadOf(rec.expires-rec.issued, obj) || !j.canReport(h) {
		return
	}
	if meta.IsStatusConditionTrue(obj.Status.Conditions, v1alpha1.ConditionRefreshed) {
		j.w.violated("told", "%s has not been renewed since %s, and says nothing of it", obj.Name, rec.expires-leadOf(rec.expires-rec.issued, obj))
	}
}

// unready judges that Ready turns False when a token ends, whoever is to blame.
func (j *judge) unready(h hold, obj *v1alpha1.CDPCredential, rec *written) {
	if j.w.now < rec.expires+readyGrace || !j.canReport(h) || !meta.IsStatusConditionTrue(obj.Status.Conditions, v1alpha1.ConditionReady) {
		return
	}
	r := j.w.leader()
	if told := obj.Status.TokenExpirationTime; told != nil && j.w.now < j.obstructed && r.trueTime(told.Time, j.w.now) > j.w.now {
		return // the Secret has been replaced since, by one that must not be read
	}
	// It has three workers for all objects, and one call that hangs may hold each.
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
	j.w.violated("ready", "Ready of %s is True, and its token has ended at %s", obj.Name, rec.expires)
}

// canReport says whether there is a process that can write status: it leads, and the API server has done what it was asked lately.
func (j *judge) canReport(hold) bool {
	fault := j.w.apiFault
	return j.w.now-j.mute > 10*time.Second && j.w.leader() != nil && fault.refused == 0 && fault.lost == 0 && fault.slow == 0
}

// pod is how long after its change a pod of the object's sees a Secret: a minute and more (64 s measured).
func (o *object) pod() time.Duration {
	n := 0
	for _, c := range o.name.String() {
		n += int(c)
	}
	return time.Minute + time.Duration(n*7%31)*time.Second
}
