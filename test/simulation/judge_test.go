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

// A judge sees everything that happens and knows what must not.
type judge struct {
	w       *world
	objects []*object
	byName  map[types.NamespacedName]*object
	files   map[types.UID]*file
	// written has each record that the operator wrote, by its text.
	written map[string]*written
	// obstructed is until when something that concerns everybody kept the operator from its work.
	obstructed time.Duration
	// stirred is when somebody last did something, or the API server began to refuse something.
	stirred time.Duration
	// mute is until when something kept it even from telling what is the matter.
	mute time.Duration
	// quiet says that nothing but renewals is to happen.
	quiet bool
	// off says that it is not asked at all.
	off   bool
	stats stats
}

// stats count what is of interest beside violations.
type stats struct {
	exchanges, issued, published, lost, killed int
	// updates are the exchanges that only changed a token's resources.
	updates int
	// stale are the exchanges that nobody needed and that were made because a new process' cache was behind.
	stale int
	// late is what is tolerated between two leaders.
	deposed int
	causes  map[string]int
	// requests are those that passes made of the API server, writes those of them that write.
	requests, writes int
	// flips counts the worlds in which each assumption was flipped.
	flips map[string]int
}

// A file is what the judge keeps of one CDPCredential, from its creation to its deletion.
type file struct {
	uid types.UID
	// obstructed is until when something kept the operator from its work on this object, disturbed until when something about another client of the
	// same vendor may make it late.
	obstructed, disturbed time.Duration
	// last is the last answer with a token, failed the last failed attempt that status knows of, and failures how many there were in a row.
	last     *answer
	failed   *failedAttempt
	failures int
	// early are the attempts that a change had made soon after a failed one.
	early []*answer
	// handled is the last request for a refresh that was tried, pending says that nothing has succeeded since.
	handled string
	pending bool
	// wiped is how many changes there had been when somebody took status away, until an attempt that began after that. Zero: nobody did.
	wiped int
	// perDay counts the tokens that were published on a day, publisher is the process that published the last one.
	perDay map[string]int
	// restored is when tokens were issued in place of those that somebody had taken away.
	restored []time.Duration
	// ending counts the exchanges while its namespace was being deleted.
	ending    int
	publisher *replica
}

// A failedAttempt is one that was answered badly.
type failedAttempt struct {
	*answer
	// history is how many changes there had been when the pass began that made it.
	history int
	object  *v1alpha1.CDPCredential
	// saved says that its process has got a status written since.
	saved bool
}

// written is a record that the operator wrote beside a token.
type written struct {
	token string
	// request is what the token was for when it was written.
	request             request
	IssuedAt, ExpiresAt time.Time
	Object              string
	Cause               string
	Issuance            *v1alpha1.Issuance
	// Keys are what was written into the Secret's data.
	Keys []string
	// issued and expires are IssuedAt and ExpiresAt in true time: the record has them on its writer's clock.
	issued, expires time.Duration
}

// good says whether the token lives at that time. What basic writes always does.
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

// object finds the object of that name.
func (j *judge) object(name types.NamespacedName) *object {
	if j.byName[name] == nil { // objects were added
		j.byName = map[types.NamespacedName]*object{}
		for _, o := range j.objects {
			j.byName[o.name] = o
		}
	}
	return j.byName[name]
}

// userActed says that a user has just done something that may keep the operator from its work, until it can know of it.
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

// hinder says that the operator cannot be expected to renew anything for some time, but to say so.
func (j *judge) hinder(d time.Duration) {
	j.obstructed, j.stirred = max(j.obstructed, j.w.now+d), j.w.now
}

// obstruct says that the operator cannot be expected to do its work on an object for some time. Nil: on any, nor to write status.
func (j *judge) obstruct(o *object, d time.Duration) {
	until := j.w.now + d
	if o == nil {
		j.obstructed, j.mute = max(j.obstructed, until), max(j.mute, until)
	} else if obj := o.get(); obj != nil {
		f := j.file(obj.UID)
		f.obstructed = max(f.obstructed, until)
	}
}

// disturb says that a vendor treats some of its clients badly for some time. The others may be late, but are not to lose a token, for as long as
// there are more of them than of the bad ones and their leads are of 90 s and more.
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

// disturbance is how long the gate may remember trouble: the breaker's longest time until a probe, and a pause of the endpoint.
const disturbance = 2 * time.Minute

// record reads the record on a target. Nil: the operator did not write it there, or not beside this token.
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

// write reads a record that a pass has written.
func (j *judge) write(by *pass, secret *corev1.Secret) *written {
	text := secret.Annotations[v1alpha1.StateAnnotation]
	rec := &written{}
	if err := json.Unmarshal([]byte(text), rec); err != nil {
		j.w.violated("half-written", "the record on %s cannot be read: %v", secret.Name, err)
	}
	rec.token = rec.tokenIn(secret)
	if t := j.w.vendors.tokens[rec.token]; t != nil {
		rec.request = t.request
	}
	rec.issued, rec.expires = by.replica.trueTime(rec.IssuedAt, by.sent), by.replica.trueTime(rec.ExpiresAt, by.sent)
	j.written[text] = rec
	return rec
}

// tokenIn is the value of a target that matters: basic writes no token, and one that somebody else has put beside it is none of it.
func (rec *written) tokenIn(secret *corev1.Secret) string {
	if slices.Contains(rec.Keys, "token") {
		return string(secret.Data["token"])
	}
	return string(secret.Data["authorization"])
}

// tokenOf is the same of any target. Without a record it is what looks like a token.
func (j *judge) tokenOf(secret *corev1.Secret) string {
	if rec := j.written[secret.Annotations[v1alpha1.StateAnnotation]]; rec != nil {
		return rec.tokenIn(secret)
	}
	return string(secret.Data["token"])
}

// held is the Secret that has the object's token: the target or, while the target has none, the one of before a renaming. Nil: none has.
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

// stale says whether what a pass was given is not what there is because somebody else than its replica has changed it, and, if it was a process
// before it, whether it had no reason to ask: the object was a new one.
func (j *judge) stale(p *pass) bool { return j.behind(p, false) }

// behind is stale without the second half, if any is true.
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
					return true // it was another object that this is of
				}
				if c.by.replica != p.replica || seen == "" {
					return c.by.replica != p.replica && p.object.Status.LastRefreshTime == nil
				} // else it has patched what somebody else had changed before
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

// userChanged says whether somebody who is no pass has changed one of these things since then, in what matters.
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
