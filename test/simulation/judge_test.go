// SPDX-License-Identifier: Apache-2.0

package simulation

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// A judge observes everything that happens and reports broken promises.
type judge struct {
	w       *world
	objects []*object
	byName  map[types.NamespacedName]*object
	files   map[types.UID]*file
	// written is every state annotation that the operator wrote, by its text.
	written map[string]*written
	// obstructed is until when something that affects every object keeps the operator from its work.
	obstructed time.Duration
	// stirred is when a user last did something, a process started, or the API server began to refuse something.
	stirred time.Duration
	// mute is until when something keeps the operator even from reporting a problem.
	mute time.Duration
	// quiet is set while nothing but renewals may happen.
	quiet bool
	// off disables the judge.
	off   bool
	stats stats
}

// stats counts things that are worth knowing besides violations.
type stats struct {
	exchanges, issued, published, lost, killed int
	// updates are the exchanges that only changed a token's resources.
	updates int
	// stale are needless exchanges, made because a new process started with an old cache.
	stale int
	// deposed are exchanges by a leader that had been replaced, which are tolerated.
	deposed int
	causes  map[string]int
	// requests are the API requests of all reconciles, writes those of them that write.
	requests, writes int
	// flips is the number of worlds in which each assumption was flipped.
	flips map[string]int
}

// A file is what the judge knows about one CDPCredential, from its creation to its deletion.
type file struct {
	uid types.UID
	// obstructed is until when something keeps the operator from its work on this object; disturbed is until when trouble of another client of the same
	// vendor may delay it.
	obstructed, disturbed time.Duration
	// last is the last answer with a token, failed the last failed attempt that is in status, failures the number of consecutive ones.
	last     *answer
	failed   *failedAttempt
	failures int
	// early are the attempts that a change was allowed to make soon after a failed one.
	early []*answer
	// handled is the last refresh request that was tried; pending is set until an exchange for it succeeds.
	handled string
	pending bool
	// wiped is the number of changes when somebody last deleted status, until an attempt that began after that. Zero: nobody did.
	wiped int
	// perDay counts the published tokens of each day; publisher is the process that published the last one.
	perDay map[string]int
	// restored is when tokens were issued to replace ones that somebody had removed.
	restored []time.Duration
	// foundEnding is the process that made the last exchange while the namespace was being deleted. Nil: there was none.
	foundEnding *replica
	publisher   *replica
}

// A failedAttempt is an exchange that failed.
type failedAttempt struct {
	*answer
	// history is how many changes there were when its reconcile began.
	history int
	object  *v1alpha1.CDPCredential
	// saved is set once its process has written status since.
	saved bool
}

// written is a state annotation that the operator wrote, and the token beside it.
type written struct {
	token string
	// request is what the token was requested for.
	request             request
	IssuedAt, ExpiresAt time.Time
	Object              string
	Cause               string
	Issuance            *v1alpha1.Issuance
	// Keys are the keys of the Secret that the operator wrote.
	Keys []string
	// issued and expires are IssuedAt and ExpiresAt in true time; the annotation has them by its writer's clock.
	issued, expires time.Duration
}

// good reports whether the token is still valid. What basic writes always is.
func (rec *written) good(now time.Duration) bool { return rec.ExpiresAt.IsZero() || now < rec.expires }

func newJudge(w *world) *judge {
	return &judge{w: w, files: map[types.UID]*file{}, written: map[string]*written{}, stats: stats{causes: map[string]int{}, flips: map[string]int{}}}
}

func (j *judge) file(uid types.UID) *file {
	f := j.files[uid]
	if f == nil {
		f = &file{uid: uid, perDay: map[string]int{}}
		j.files[uid] = f
	}
	return f
}

// object returns the object of that name.
func (j *judge) object(name types.NamespacedName) *object {
	if j.byName[name] == nil { // objects were added
		j.byName = map[types.NamespacedName]*object{}
		for _, o := range j.objects {
			j.byName[o.name] = o
		}
	}
	return j.byName[name]
}

// userActed notes that a user has just done something that may keep the operator from its work until its watches show it.
func (j *judge) userActed() {
	j.stirred = j.w.now
	hang := time.Duration(0)
	for _, r := range j.w.replicas {
		for _, watch := range r.cache.watches {
			hang = max(hang, watch.stuckUntil-j.w.now)
		}
	}
	j.obstruct(nil, hang)
}

// hinder excuses late renewals for d, but not a missing report of them.
func (j *judge) hinder(d time.Duration) {
	j.obstructed, j.stirred = max(j.obstructed, j.w.now+d), j.w.now
}

// obstruct excuses late work on an object for d. Nil: on all objects, and late status as well.
func (j *judge) obstruct(o *object, d time.Duration) {
	until := j.w.now + d
	if o == nil {
		j.obstructed, j.mute = max(j.obstructed, until), max(j.mute, until)
	} else if obj := o.get(); obj != nil {
		f := j.file(obj.UID)
		f.obstructed = max(f.obstructed, until)
	}
}

// disturb notes that a vendor treats some of its clients badly for d. Renewals of its other clients may be late meanwhile, but their tokens must not
// expire, as long as they are the majority and their leads are 90 s or more.
func (j *judge) disturb(h *host, d time.Duration) {
	d += disturbance
	for _, o := range j.w.touches(h) {
		obj := o.get()
		f := j.file(obj.UID)
		f.disturbed = max(f.disturbed, j.w.now+d)
		if leadOf(h.lifetime, obj) < 90*time.Second || 2*len(h.troubled) > len(j.w.touches(h)) {
			j.obstruct(o, d)
		}
	}
}

// disturbance is how long the gate may remember trouble: the breaker's longest interval between probes, plus a pause of the endpoint.
const disturbance = 2 * time.Minute

// record returns the state annotation of a target. Nil: the operator did not write it there, or not with this token.
func (j *judge) record(secret *corev1.Secret) *written {
	if secret == nil {
		return nil
	}
	rec := j.written[secret.Annotations[v1alpha1.StateAnnotation]]
	if rec == nil || rec.token != rec.tokenIn(secret) {
		return nil
	}
	return rec
}

// write parses the state annotation that a reconcile has written.
func (j *judge) write(by *pass, secret *corev1.Secret) *written {
	text := secret.Annotations[v1alpha1.StateAnnotation]
	rec := &written{}
	if err := json.Unmarshal([]byte(text), rec); err != nil {
		j.w.violated("half-written", "the state annotation of %s cannot be parsed: %v", secret.Name, err)
	}
	rec.token = rec.tokenIn(secret)
	if t := j.w.vendors.tokens[rec.token]; t != nil {
		rec.request = t.request
	}
	rec.issued, rec.expires = by.replica.trueTime(rec.IssuedAt, by.sent), by.replica.trueTime(rec.ExpiresAt, by.sent)
	j.written[text] = rec
	return rec
}

// tokenIn returns the token in a target. basic writes none; a token that somebody else put beside it does not count.
func (rec *written) tokenIn(secret *corev1.Secret) string {
	if slices.Contains(rec.Keys, "token") {
		return string(secret.Data["token"])
	}
	return string(secret.Data["authorization"])
}

// tokenOf is tokenIn for any target. Without a state annotation, it takes what is under the key token.
func (j *judge) tokenOf(secret *corev1.Secret) string {
	if rec := j.written[secret.Annotations[v1alpha1.StateAnnotation]]; rec != nil {
		return rec.tokenIn(secret)
	}
	return string(secret.Data["token"])
}

// held returns the Secret with the object's current token: the target or, until that has one, the previous target. Nil: there is none.
func (j *judge) held(obj *v1alpha1.CDPCredential) *corev1.Secret {
	for _, name := range []string{obj.Spec.Target.Name, obj.Status.TargetName} {
		secret := j.w.api.secrets[types.NamespacedName{Namespace: obj.Namespace, Name: name}]
		if rec := j.record(secret); rec != nil && owner(secret) == obj.Name && rec.Object == obj.Name {
			if name == obj.Spec.Target.Name || rec.good(j.w.now) {
				return secret
			}
		}
	}
	return nil
}

func owner(secret *corev1.Secret) string { return secret.Annotations[v1alpha1.CredentialAnnotation] }

// stale reports whether a reconcile saw an old version because somebody other than its replica changed something since. An older version written by a
// previous process counts only if the object was still without a token.
func (j *judge) stale(p *pass) bool { return j.behind(p, false) }

// behind is stale. With either, any change by another replica counts.
func (j *judge) behind(p *pass, either bool) bool {
	by := func(seen, is string, name types.NamespacedName, ofSecret bool) bool {
		if seen == is {
			return false
		}
		for i, c := range slices.Backward(j.w.api.changes) {
			if c.name == name && c.ofSecret == ofSecret {
				if seen == strconv.Itoa(firstVersion+i) {
					return false
				}
				switch {
				case c.by == nil || c.deposed || either && c.by.replica != p.replica:
					return true
				case c.by.object.UID != p.object.UID:
					return true // the previous object of that name
				}
				if c.by.replica != p.replica || seen == "" {
					return c.by.replica != p.replica && p.object.Status.LastRefreshTime == nil
				} // otherwise, it patched what somebody else had changed before
			}
		}
		return true
	}
	is := ""
	if obj := j.w.api.credentials[p.name]; obj != nil {
		is = obj.ResourceVersion
	}
	if p.object == nil || by(p.object.ResourceVersion, is, p.name, false) {
		return true
	}
	for name, seen := range p.secrets {
		is := ""
		if secret := j.w.api.secrets[name]; secret != nil {
			is = secret.ResourceVersion
		}
		if by(seen, is, name, true) {
			return true
		}
	}
	return false
}

// userChanged reports whether somebody other than the operator changed the object, its client Secrets or its target since then.
func (j *judge) userChanged(since int, obj *v1alpha1.CDPCredential) bool {
	for _, c := range j.w.api.changes[since:] {
		if c.by != nil || c.name.Namespace != obj.Namespace {
			continue
		}
		if !c.ofSecret && c.name.Name == obj.Name || c.ofSecret && strings.HasPrefix(c.name.Name, obj.Name) || c.ofSecret && c.name.Name == obj.Spec.Target.Name {
			return true
		}
	}
	return false
}
