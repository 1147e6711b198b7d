// SPDX-License-Identifier: Apache-2.0

package simulation

import (
	"fmt"
	"maps"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// contestAssumptions concern others who write the target.
var contestAssumptions = []*assumption{
	{name: "api-strips-annotations", holds: "what is written is stored unchanged", episode: func(w *world, about time.Duration) string {
		what := pick(w, []string{v1alpha1.StateAnnotation, v1alpha1.ExpiresAtAnnotation, "cdpcredentials.io/"})
		w.api.mutate = func(secret *corev1.Secret) *corev1.Secret { return stripped(secret, what) }
		d := w.about(about)
		w.after(d, func() { w.api.mutate = nil })
		return fmt.Sprintf("%s, for %s", what, d)
	}},
	{name: "api-token-is-reset", holds: "nobody keeps overwriting the token", episode: func(w *world, about time.Duration) string {
		o, every := pick(w, w.judge.objects), w.between(time.Second, 30*time.Second)
		until := w.now + w.about(2*about)
		w.resetToken(o, every, until)
		return fmt.Sprintf("%s every %s, until %s", o.name.Name, every, until)
	}},
}

// stripped returns a Secret without the annotations with that prefix, as a mutating webhook would.
func stripped(secret *corev1.Secret, prefix string) *corev1.Secret {
	secret = secret.DeepCopy()
	maps.DeleteFunc(secret.Annotations, func(key, _ string) bool { return strings.HasPrefix(key, prefix) })
	return secret
}

// resetToken lets somebody overwrite the token in an object's target, again and again.
func (w *world) resetToken(o *object, every, until time.Duration) {
	if w.calmed || w.now > until {
		return
	}
	if o.get() != nil {
		w.judge.undone(o)
		o.editTarget(func(s *corev1.Secret) {
			if s.Data["token"] != nil {
				s.Data["token"] = []byte("mine")
			}
		})
	}
	w.after(every, func() { w.resetToken(o, every, until) })
}

// undone notes that a user or a webhook reverted what the operator wrote. It is restored after ten minutes at the latest, and must then stay intact
// for as long (TargetContested in docs/operations.md).
func (j *judge) undone(o *object) { j.obstruct(o, 21*time.Minute) }

// mostRestored is how many tokens may be issued within ten minutes to replace removed ones. A token that stays for 20 s has stayed for as long as the
// wait before it, which ends the contest; and two are issued at once at its beginning.
const mostRestored = 10*60/20 + 2

// restored limits how often a removed token is replaced.
func (j *judge) restored(a *answer, f *file) {
	recent := f.restored[:0]
	for _, at := range f.restored {
		if j.w.now-at < 10*time.Minute {
			recent = append(recent, at)
		}
	}
	if f.restored = append(recent, j.w.now); len(f.restored) > mostRestored {
		j.w.violated("contest", "%d tokens for %s within ten minutes, to replace what somebody keeps removing", len(f.restored), a.pass.name.Name)
	}
}
