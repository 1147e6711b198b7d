// SPDX-License-Identifier: Apache-2.0

package simulation

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// found are the shortest stories of what seeds have found to go wrong. A seed itself tells another story as soon as the operator makes one
// request more or less, and so proves nothing later. Each begins with an object that has its first token, and says what is wrong at its end,
// beside what the judge says all the time.
var found = []struct {
	name, provider string
	do             func(w *world, o *object) string
}{
	{"another Secret of the same client, at an endpoint that gives the same token again", "oauth2", func(w *world, o *object) string {
		w.vendors.hosts[oauthHost].sameUntilDead = true
		refresh(o, "now")
		w.runFor(15 * time.Second)
		same := w.api.secrets[o.secret(o.clientSecretNames()[0])].DeepCopy()
		if _, err := w.api.createSecret(nil, o.secret(o.clientSecretNames()[1]), same); err != nil {
			panic(err)
		}
		before := w.judge.stats.exchanges
		o.edit(func(s *v1alpha1.CDPCredentialSpec) { s.ClientSecretRef.Name = o.clientSecretNames()[1] })
		w.runFor(5 * time.Minute)
		if asked := w.judge.stats.exchanges - before; asked != 1 {
			return fmt.Sprintf("it was asked %d times", asked)
		}
		return ""
	}},
	{"two leaders whose clocks are 35 minutes apart, one of which does not know yet that it was deposed", "oauth2", func(w *world, o *object) string {
		w.startReplica(0).skew = -35 * time.Minute
		writes := map[string]int{}
		w.overhears = func(_ types.NamespacedName, what string) { writes[what]++ }
		w.runFor(time.Minute)
		w.overhears = nil
		if rewrites := writes["patch Secret "+o.get().Spec.Target.Name]; rewrites > 14 || writes["patch status"] > 40 { // each of the two rewrites once in ten seconds
			return fmt.Sprintf("within a minute: %v", writes)
		}
		return ""
	}},
	{"seed 52531: a renewal waits for its turn, and then its client Secret cannot be read", "oauth2", func(w *world, o *object) string {
		h := w.vendors.hosts[oauthHost]
		h.lifetime = 15 * time.Minute
		for i := range 6 {
			other := &object{w: w, name: types.NamespacedName{Namespace: fmt.Sprintf("other-%d", i), Name: "obj"}}
			w.judge.objects = append(w.judge.objects, other)
			other.apply("oauth2")
		}
		refresh(o, "now")
		w.runFor(time.Minute)
		due := w.clockAt(o.get().Status.NextRefreshTime)
		w.runTo(due - 100*time.Second)
		h.trouble = serverError
		for _, other := range w.judge.objects {
			w.judge.obstruct(other, time.Hour)
			if other != o {
				refresh(other, "now")
			}
		}
		w.runTo(due + 25*time.Second) // it waits behind the breaker
		asked := w.judge.file(o.get().UID).last
		w.apiFault.denied, w.apiFault.denial = []string{"get Secret " + o.clientSecretNames()[0]}, refusedReads[0]
		w.runTo(due + heldUpGrace)
		if said := o.refreshed(); said == v1alpha1.ReasonTokenIssued || w.judge.file(o.get().UID).last != asked {
			return "a minute after its time, Refreshed is " + said
		}
		return ""
	}},
	{"seed 82766: a leader of before, whose clock is behind, tells once more that it may not write", "oauth2", func(w *world, o *object) string {
		w.apiFault.denied, w.apiFault.denial = []string{"patch Secret"}, refusedWrites[0]
		w.judge.obstruct(o, 2*time.Hour)
		refresh(o, "now")
		w.runFor(2 * time.Minute)
		old := w.leader()
		next := w.clockAt(o.get().Status.NextRefreshTime)
		w.runTo(next - 5*time.Second)
		old.paused, old.pausedAt = true, w.now
		w.startReplica(0).skew = -35 * time.Minute
		w.runTo(next + 30*time.Second) // the new one is refused
		for i := range old.cache.watches {
			old.cache.watches[i].stuckUntil = w.now + time.Minute
		}
		old.proceed()
		w.runFor(time.Second) // and the old one, of which it tells
		old.kill()
		w.apiFault.denied = nil
		w.runFor(15 * time.Minute)
		if said := o.refreshed(); said != v1alpha1.ReasonTokenIssued {
			return "a quarter of an hour later, Refreshed is " + said
		}
		return ""
	}},
	{"seed 64294: a token ends before the cache shows that it came", "oauth2", func(w *world, o *object) string {
		w.lag = 2 * time.Second
		w.vendors.hosts[oauthHost].trouble = deadTokens
		w.judge.obstruct(o, 24*time.Hour)
		refresh(o, "now")
		w.runFor(24 * time.Hour)
		return ""
	}},
	{"seed 30624: refused when it was due, then given the held token again, and refused by another process after its end", "oauth2", func(w *world, o *object) string {
		h := w.vendors.hosts[oauthHost]
		h.sameUntilDead = true
		refresh(o, "now")
		w.runFor(15 * time.Second)
		h.stray = 403
		for w.runFor(time.Minute); o.refreshed() != v1alpha1.ReasonTokenIssued || o.get().Status.RepeatedUntil == nil; w.runFor(time.Minute) {
			if w.now > 2*time.Hour {
				return "the held token has not come again"
			}
		}
		h.stray = 403
		ends := w.judge.record(o.target()).expires
		w.runTo(ends - time.Second)
		w.restart()
		w.runTo(ends + 30*time.Minute)
		if said := o.refreshed(); said != v1alpha1.ReasonTokenIssued {
			return "half an hour after the end, Refreshed is " + said
		}
		return ""
	}},
	{"seed 55524: a token ends while other objects' calls take all three workers", "oauth2", func(w *world, o *object) string {
		w.vendors.hosts[oauthHost].lifetime = 15 * time.Minute
		refresh(o, "now")
		w.runFor(time.Minute)
		w.vendors.hosts[oauthHost].trouble = serverError
		w.judge.obstruct(o, time.Hour)
		for i := range 3 {
			other := &object{w: w, name: types.NamespacedName{Namespace: fmt.Sprintf("other-%d", i), Name: "obj"}}
			w.judge.objects = append(w.judge.objects, other)
			other.apply("apsis")
		}
		w.runTo(w.judge.record(o.target()).expires - time.Second)
		w.vendors.hosts[apsisHost].trouble = hanging
		for _, other := range w.judge.objects[1:] {
			refresh(other, "now")
			w.judge.obstruct(other, time.Hour)
		}
		w.runFor(time.Minute)
		if isTrue(o, "Ready") {
			return "a minute later, Ready is True"
		}
		return ""
	}},
	{"seed 7062: an annotation was taken off, and the token ends that cannot be had early", "oauth2", func(w *world, o *object) string {
		w.vendors.hosts[oauthHost].sameUntilDead = true
		w.runFor(90 * time.Minute) // until the second token has come back
		w.api.mutate = func(s *corev1.Secret) *corev1.Secret { return stripped(s, v1alpha1.ExpiresAtAnnotation) }
		w.runFor(15 * time.Minute) // in which the third is written, and then again
		w.api.mutate = nil
		w.runFor(21 * time.Minute) // until nothing is contested any more
		w.stayQuiet(2 * time.Hour)
		if o.target().Annotations[v1alpha1.ExpiresAtAnnotation] == "" {
			return "the annotation is missing"
		}
		return ""
	}},
	{"seed 8648: an annotation was taken off, and the token is first given again", "oauth2", func(w *world, o *object) string {
		w.vendors.hosts[oauthHost].sameUntilDead = true
		w.runFor(45 * time.Minute) // until there is a token that comes back
		w.api.mutate = func(s *corev1.Secret) *corev1.Secret { return stripped(s, v1alpha1.ExpiresAtAnnotation) }
		o.edit(func(s *v1alpha1.CDPCredentialSpec) { s.Target.Labels = map[string]v1alpha1.LabelValue{"team": "a"} })
		w.runFor(time.Minute)
		w.api.mutate = nil
		w.runFor(2 * time.Minute)  // until nothing is contested any more
		w.stayQuiet(2 * time.Hour) // in which the answer with the held token is written at the price of a renewal
		if o.target().Annotations[v1alpha1.ExpiresAtAnnotation] == "" {
			return "the annotation is missing"
		}
		return ""
	}},
	{"seed 931950: a clock is set, at an endpoint that gives the same token until it ends", "oauth2", func(w *world, o *object) string {
		return w.keepsWaiting(func() { w.leader().setClock(time.Hour) })
	}},
	{"labels are changed, at an endpoint that gives the same token until it ends", "oauth2", func(w *world, o *object) string {
		return w.keepsWaiting(func() {
			o.edit(func(s *v1alpha1.CDPCredentialSpec) { s.Target.Labels = map[string]v1alpha1.LabelValue{"team": "a"} })
		})
	}},
	{"seed 923541: answers are lost while somebody keeps resetting the token", "oauth2", func(w *world, o *object) string {
		w.apiFault.lost = 0.5
		w.resetToken(o, 5*time.Second, w.now+40*time.Minute)
		w.runFor(40 * time.Minute)
		w.apiFault.lost = 0
		return ""
	}},
	{"seed 2291: basic in place of a token, after the clock was set back", "oauth2", func(w *world, o *object) string {
		o.edit(func(s *v1alpha1.CDPCredentialSpec) { s.Provider = w.provider("basic") })
		w.runFor(time.Minute)
		w.leader().setClock(-time.Hour)
		w.editIfThere(o.secret(o.get().Spec.ClientSecretRef.Name), func(s *corev1.Secret) { s.Labels = map[string]string{"team": "a"} })
		w.runFor(time.Minute)
		return ""
	}},
	{"seed 729: the object is gone with its target, and only the watch of Secrets says so", "oauth2", func(w *world, o *object) string {
		w.leader().cache.watches[0].stuckUntil = w.now + 5*time.Minute
		w.api.deleteCredential(o.name)
		w.runFor(time.Minute)
		return ""
	}},
	{"seed 10276: the record is edited before the target is renamed", "basic", func(w *world, o *object) string {
		name := o.get().Spec.Target.Name
		w.renamedWithoutRecord(o, func(*corev1.Secret) {})
		if w.api.secrets[o.secret(name)] != nil {
			return "the target of before is still there"
		}
		return ""
	}},
	{"seed 11661: a template is taken away and the record edited before the target is renamed", "oauth2", func(w *world, o *object) string {
		name := o.get().Spec.Target.Name
		o.edit(func(s *v1alpha1.CDPCredentialSpec) {
			s.Target.Data = map[string]v1alpha1.DataTemplate{"header": "Bearer {{ .token }}"}
		})
		w.runFor(time.Minute)
		o.edit(func(s *v1alpha1.CDPCredentialSpec) { s.Suspend = true })
		w.runFor(time.Second)
		o.editTarget(func(s *corev1.Secret) { s.Annotations[v1alpha1.StateAnnotation] = "mine" })
		w.runFor(time.Second)
		o.edit(func(s *v1alpha1.CDPCredentialSpec) {
			s.Target.Data, s.Target.Name, s.Suspend = nil, "renamed", false
		})
		w.runFor(30 * time.Second)
		if old := w.api.secrets[o.secret(name)]; old == nil || old.Data["token"] != nil || old.Data["header"] == nil || len(old.Annotations) > 0 {
			return fmt.Sprintf("the target of before is %+v", old)
		}
		return ""
	}},
	{"seed 8298: a Secret of another object is handed over, and the target renamed before anything is written", "oauth2", func(w *world, o *object) string {
		name, other := o.get().Spec.Target.Name, &object{w: w, name: types.NamespacedName{Namespace: "a", Name: "other"}}
		w.judge.objects = append(w.judge.objects, other)
		other.apply("basic")
		w.runFor(time.Minute)
		o.edit(func(s *v1alpha1.CDPCredentialSpec) { s.Suspend = true })
		w.runFor(time.Second)
		o.editTarget(func(s *corev1.Secret) {
			theirs := other.target()
			s.Data, s.OwnerReferences = theirs.Data, theirs.OwnerReferences
			s.Annotations[v1alpha1.StateAnnotation] = theirs.Annotations[v1alpha1.StateAnnotation]
		})
		w.runFor(time.Second)
		before := w.api.secrets[o.secret(name)]
		o.edit(func(s *v1alpha1.CDPCredentialSpec) { s.Target.Name, s.Suspend = "renamed", false })
		w.runFor(30 * time.Second)
		if diff := cmp.Diff(before, w.api.secrets[o.secret(name)]); diff != "" {
			return "it was changed: " + diff
		}
		return ""
	}},
	{"the record is edited before a shared target is renamed", "oauth2", func(w *world, o *object) string {
		name := o.get().Spec.Target.Name
		w.renamedWithoutRecord(o, func(s *corev1.Secret) { s.Data["foreign"] = []byte("mine") })
		if old := w.api.secrets[o.secret(name)]; old == nil || len(old.OwnerReferences) > 0 || old.Data["token"] != nil || len(old.Annotations) > 0 {
			return fmt.Sprintf("the target of before is %+v", old)
		}
		return ""
	}},
	{"seed 13564: a bad template, and the token ends that cannot be had early", "oauth2", func(w *world, o *object) string {
		w.vendors.hosts[oauthHost].sameUntilDead = true
		w.runFor(90 * time.Minute) // until the second token has come back
		o.edit(func(s *v1alpha1.CDPCredentialSpec) {
			s.Target.Data = map[string]v1alpha1.DataTemplate{"header": "{{ .nothing"}
		})
		w.stayQuiet(2 * time.Hour)
		if said := o.refreshed(); said != "InvalidTemplate" {
			return "Refreshed is " + said
		}
		return ""
	}},
	{"seed 15366: the client is refused, and so is a write that does not need it", "oauth2", func(w *world, o *object) string {
		w.vendors.secrets[o.clientID("a")] = "another"
		refresh(o, "now")
		w.runFor(5 * time.Second)
		w.apiFault.denied, w.apiFault.denial = []string{"patch Secret"}, refusedWrites[0]
		o.editTarget(func(s *corev1.Secret) { delete(s.Labels, v1alpha1.ManagedByLabel) })
		w.runFor(20 * time.Second)
		if said := o.refreshed(); said != "CredentialsRejected" {
			return "Refreshed is " + said
		}
		w.apiFault.denied = nil
		before := w.judge.stats.exchanges
		w.runFor(5 * time.Minute)
		if asked := w.judge.stats.exchanges - before; asked != 0 {
			return fmt.Sprintf("it was asked %d times", asked)
		}
		return ""
	}},
	{"seed 924388: a key of others comes while something is in the way, and another process finds it", "basic", func(w *world, o *object) string {
		o.edit(func(s *v1alpha1.CDPCredentialSpec) { s.TLS = &v1alpha1.TLS{CABundle: []byte("bad")} })
		w.runFor(time.Second)
		o.editTarget(func(s *corev1.Secret) { s.Data["foreign"] = []byte("mine") })
		w.runFor(time.Second)
		w.leader().kill()
		w.runFor(30 * time.Second)
		o.edit(func(s *v1alpha1.CDPCredentialSpec) { s.TLS = nil })
		w.runFor(5 * time.Second)
		if owners := o.target().OwnerReferences; len(owners) > 0 {
			return fmt.Sprintf("the garbage collector would delete it: %+v", owners)
		}
		return ""
	}},
	{"seed 922316: a shared target is renamed, and renamed back while its name is being tidied up", "oauth2", func(w *world, o *object) string {
		name := o.get().Spec.Target.Name
		o.editTarget(func(s *corev1.Secret) { s.Data["foreign"] = []byte("mine") })
		w.runFor(5 * time.Second)
		rename(w, o)
		w.requested("patch status")
		o.edit(func(s *v1alpha1.CDPCredentialSpec) { s.Target.Name = name })
		w.runFor(30 * time.Second)
		if said := o.refreshed(); said != "TokenIssued" {
			return "Refreshed is " + said
		}
		return ""
	}},
	{"seed 921559: a key of others comes while a token is being written", "oauth2", func(w *world, o *object) string {
		refresh(o, "now")
		w.requested("patch Secret " + o.get().Spec.Target.Name)
		o.editTarget(func(s *corev1.Secret) { s.Data["foreign"] = []byte("mine") })
		w.runFor(30 * time.Second)
		if owners := o.target().OwnerReferences; len(owners) > 0 {
			return fmt.Sprintf("the garbage collector would delete it: %+v", owners)
		}
		return ""
	}},
	{"seed 20717: a token that was never written, and another client", "oauth2", func(w *world, o *object) string {
		o.putClientSecret(o.clientSecretNames()[1])
		w.answered(o, func() { refresh(o, "now") })
		w.apiFault.refused = 1
		o.edit(func(s *v1alpha1.CDPCredentialSpec) { s.ClientSecretRef.Name = o.clientSecretNames()[1] })
		w.runFor(500 * time.Millisecond)
		w.apiFault.refused = 0
		w.runFor(15 * time.Second)
		if t := w.vendors.tokens[w.judge.tokenOf(o.target())]; t == nil || t.client != "obj.b" {
			return "the other client has no token"
		}
		return ""
	}},
	{"seed 11924: status and target are taken away", "oauth2", func(w *world, o *object) string {
		w.answered(o, func() { refresh(o, "now") })
		w.runFor(time.Second)
		w.api.editCredential(o.name, func(obj *v1alpha1.CDPCredential) { obj.Status = v1alpha1.CDPCredentialStatus{} })
		w.judge.statusLost(o)
		w.api.setSecret(nil, o.secret(o.get().Spec.Target.Name), nil)
		w.runFor(15 * time.Second)
		if o.target() == nil {
			return "there is no new token"
		}
		return ""
	}},
	{"seed 39194: a new object whose client is refused from the first attempt on", "oauth2", func(w *world, o *object) string {
		w.vendors.secrets[o.clientID("a")] = "another"
		was := o.get()
		w.api.deleteCredential(o.name)
		w.api.setSecret(nil, o.secret(was.Spec.Target.Name), nil)
		w.runFor(time.Second)
		w.api.createCredential(o.name, &v1alpha1.CDPCredential{Spec: was.Spec})
		w.stayQuiet(time.Hour)
		if said := o.refreshed(); said != "CredentialsRejected" {
			return "Refreshed is " + said
		}
		return ""
	}},
	{"seed 16453: throttled, and meanwhile a bad CA bundle", "oauth2", func(w *world, o *object) string {
		w.throttle(o)
		o.edit(func(s *v1alpha1.CDPCredentialSpec) { s.TLS = &v1alpha1.TLS{CABundle: []byte("bad")} })
		w.runFor(time.Second)
		if said := o.refreshed(); said != "InvalidSpec" {
			return "Refreshed is " + said
		}
		o.edit(func(s *v1alpha1.CDPCredentialSpec) { s.TLS = nil })
		return w.throttledToTheEnd(o)
	}},
	{"throttled, and meanwhile a key is missing", "oauth2", func(w *world, o *object) string {
		w.throttle(o)
		name := o.clientSecretNames()[0]
		w.api.editSecret(o.secret(name), func(s *corev1.Secret) { delete(s.Data, "client-id") })
		w.runFor(time.Second)
		if said := o.refreshed(); said != "SecretKeyMissing" {
			return "Refreshed is " + said
		}
		o.putClientSecret(name)
		return w.throttledToTheEnd(o)
	}},
	{"seed 66403: a request that failed at first, and a write whose answer is lost", "oauth2", func(w *world, o *object) string {
		w.vendors.hosts[oauthHost].trouble = serverError
		refresh(o, "now")
		w.runFor(time.Second)
		version := o.target().ResourceVersion
		w.answered(o, func() { w.vendors.hosts[oauthHost].trouble = fine })
		w.losesTheAnswer(func() bool { return o.target().ResourceVersion != version })
		w.runFor(30 * time.Second)
		if o.get().Status.RefreshPending || o.refreshed() != "TokenIssued" {
			return "status: " + shortStatus(&o.get().Status)
		}
		return ""
	}},
	{"seed 60349: a target that is made again from the held token, and the answer is lost", "oauth2", func(w *world, o *object) string {
		held := o.target().DeepCopy()
		held.OwnerReferences = nil // as after Retain
		w.api.deleteCredential(o.name)
		w.runFor(time.Minute)
		if _, err := w.api.createSecret(nil, o.secret(held.Name), held); err != nil {
			return err.Error()
		}
		w.runFor(time.Minute)
		asked := w.judge.stats.exchanges
		w.api.createCredential(o.name, &v1alpha1.CDPCredential{Spec: v1alpha1.CDPCredentialSpec{
			Provider: w.provider("oauth2"), ClientSecretRef: v1alpha1.ClientSecretReference{Name: o.clientSecretNames()[0]}, Target: v1alpha1.Target{Name: held.Name},
		}})
		w.requested("patch Secret " + held.Name)
		w.api.setSecret(nil, o.secret(held.Name), nil)
		w.apiFault.slow = 200 * time.Millisecond // so that the cache knows of that
		w.requested("create Secret " + held.Name)
		w.apiFault.slow = 0
		for i := range w.leader().cache.watches {
			w.leader().cache.watches[i].stuckUntil = w.now + 5*time.Second // but not of the new one
		}
		w.losesTheAnswer(func() bool { return o.target() != nil })
		w.runFor(30 * time.Second)
		if w.judge.stats.exchanges != asked {
			return "a token was asked for"
		}
		return ""
	}},
	{"seed 78149: renamed, and renamed back before the cache shows that the old one is gone", "oauth2", func(w *world, o *object) string {
		name, asked := o.get().Spec.Target.Name, w.judge.stats.exchanges
		rename(w, o)
		w.requested("delete Secret " + name)
		w.leader().cache.watches[1].stuckUntil = w.now + 5*time.Second
		w.runFor(500 * time.Millisecond)
		o.edit(func(s *v1alpha1.CDPCredentialSpec) { s.Target.Name = name })
		w.runFor(30 * time.Second)
		if o.target() == nil || w.judge.stats.exchanges != asked {
			return "the token was lost"
		}
		return ""
	}},
	{"seed 11380: the consent to verify is withdrawn and given again", "oauth2", func(w *world, o *object) string {
		verified(w, o)
		w.runFor(time.Second)
		name := o.secret(o.clientSecretNames()[0])
		for _, step := range []struct{ consent, want string }{{consent, "Verified"}, {oauthHost, "HostNotAllowed"}, {consent, "Verified"}} {
			w.api.editSecret(name, func(s *corev1.Secret) { s.Annotations[v1alpha1.AllowedHostsAnnotation] = step.consent })
			w.runFor(time.Second)
			if c := meta.FindStatusCondition(o.get().Status.Conditions, v1alpha1.ConditionVerified); c == nil || c.Reason != step.want {
				return fmt.Sprintf("with the consent %q, Verified is %+v", step.consent, c)
			}
		}
		return ""
	}},
	{"seed 17726: what basic wrote comes back under another provider", "basic", func(w *world, o *object) string {
		backup := o.target()
		w.answered(o, func() {
			o.edit(func(s *v1alpha1.CDPCredentialSpec) {
				s.Provider, s.Target.Labels = w.provider("oauth2"), map[string]v1alpha1.LabelValue{"team": "a"}
			})
		})
		w.runFor(time.Second)
		w.api.setSecret(nil, o.secret(backup.Name), nil)
		if _, err := w.api.createSecret(nil, o.secret(backup.Name), backup); err != nil {
			return err.Error()
		}
		w.runFor(15 * time.Second)
		if w.vendors.tokens[string(o.target().Data["token"])] == nil {
			return "there is no token"
		}
		return ""
	}},
	{"seed 32309: basic beside a token that is not its own", "oauth2", func(w *world, o *object) string {
		o.editTarget(func(s *corev1.Secret) { delete(s.Annotations, v1alpha1.StateAnnotation) })
		o.edit(func(s *v1alpha1.CDPCredentialSpec) { s.Provider = w.provider("basic") })
		w.runFor(time.Second)
		verified(w, o)
		w.runFor(time.Second)
		if !meta.IsStatusConditionTrue(o.get().Status.Conditions, v1alpha1.ConditionVerified) {
			return "it was not verified"
		}
		w.leader().kill()
		w.runFor(30 * time.Second)
		o.editTarget(func(s *corev1.Secret) { s.Labels["foreign"] = "mine" })
		version := o.target().ResourceVersion
		w.runFor(5 * time.Second)
		if o.target().ResourceVersion != version {
			return "it was taken for edited"
		}
		return ""
	}},
	{"seed 202071: a change is taken back before the cache shows it", "oauth2", func(w *world, o *object) string {
		w.lag = 2 * time.Second
		w.answered(o, func() { refresh(o, "now") })
		began, name := w.now, o.clientSecretNames()[0]
		w.api.editSecret(o.secret(name), func(s *corev1.Secret) { s.Data["client-secret"] = []byte("other") })
		w.runTo(began + 9*time.Second)
		o.putClientSecret(name)
		asked := w.judge.stats.exchanges
		w.runFor(30 * time.Second)
		if w.judge.stats.exchanges != asked {
			return "a token was asked for"
		}
		return ""
	}},
	{"seed 7230: the clock is set back while the target is contested", "oauth2", func(w *world, o *object) string {
		w.resetToken(o, 3*time.Second, w.now+time.Minute)
		w.runFor(50 * time.Second)
		w.leader().setClock(-time.Hour)
		w.runFor(25 * time.Minute)
		if w.vendors.tokens[string(o.target().Data["token"])] == nil {
			return "the token was not restored"
		}
		return ""
	}},
	{"seed 2489: a process begins with a list from before the last attempt, and the API server is down", "oauth2", func(w *world, o *object) string {
		w.runFor(time.Minute)
		w.vendors.secrets[o.clientID("a")] = "another"
		refresh(o, "now")
		requested := w.now
		w.runFor(2 * time.Second)
		w.leader().kill()
		r := w.startReplica(w.now - requested)
		for i := range r.cache.watches {
			r.cache.watches[i].stuckUntil = w.now + 2*time.Minute
		}
		w.apiFault.refused = 1
		w.runFor(90 * time.Second)
		w.apiFault.refused = 0
		asked := w.judge.stats.exchanges
		w.runFor(5 * time.Minute)
		if w.judge.stats.exchanges != asked {
			return "it was tried again at once"
		}
		return ""
	}},
	{"seed 178: the client ID in a template, and both another client and other labels", "oauth2", func(w *world, o *object) string {
		o.putClientSecret(o.clientSecretNames()[1])
		o.edit(func(s *v1alpha1.CDPCredentialSpec) {
			s.Target.Data = map[string]v1alpha1.DataTemplate{"header": "{{ .expiresAt }} {{ .clientID }}"}
		})
		refresh(o, "now")
		w.runFor(time.Second)
		o.edit(func(s *v1alpha1.CDPCredentialSpec) {
			s.ClientSecretRef.Name, s.Target.Labels = o.clientSecretNames()[1], map[string]v1alpha1.LabelValue{"team": "a"}
		})
		w.runFor(15 * time.Second)
		if said := string(o.target().Data["header"]); !strings.HasSuffix(said, "obj.b") {
			return "the header is " + said
		}
		return ""
	}},
	{"seed 178: the clock is set back, and another client is named within ten seconds", "oauth2", func(w *world, o *object) string {
		o.putClientSecret(o.clientSecretNames()[1])
		refresh(o, "now")
		w.runFor(5 * time.Second)
		w.leader().setClock(-50 * time.Minute)
		o.edit(func(s *v1alpha1.CDPCredentialSpec) { s.ClientSecretRef.Name = o.clientSecretNames()[1] })
		w.runFor(15 * time.Second)
		return ""
	}},
	{"seed 166: a label that is taken away so often that it is not put back at once", "oauth2", func(w *world, o *object) string {
		for range 7 {
			o.editTarget(func(s *corev1.Secret) { delete(s.Labels, v1alpha1.ManagedByLabel) })
			w.runFor(300 * time.Millisecond)
		}
		w.runFor(time.Hour)
		if o.target().Labels[v1alpha1.ManagedByLabel] == "" {
			return "it was not put back"
		}
		return ""
	}},
	{"seed 955: suspended, and then another client Secret than that of the last attempt", "oauth2", func(w *world, o *object) string {
		o.putClientSecret(o.clientSecretNames()[1])
		w.vendors.hosts[oauthHost].trouble = serverError
		o.edit(func(s *v1alpha1.CDPCredentialSpec) { s.ClientSecretRef.Name = o.clientSecretNames()[1] })
		w.runFor(time.Second)
		o.edit(func(s *v1alpha1.CDPCredentialSpec) {
			s.ClientSecretRef.Name, s.Suspend = o.clientSecretNames()[0], true
		})
		w.stayQuiet(2 * time.Hour)
		return ""
	}},
	{"seed 201057: a retained Secret is of an object of before", "oauth2", func(w *world, o *object) string {
		backup, was := o.target(), o.get()
		w.api.deleteCredential(o.name)
		w.runFor(30 * time.Second)
		w.api.createCredential(o.name, &v1alpha1.CDPCredential{Spec: was.Spec})
		w.runFor(15 * time.Second)
		o.edit(func(s *v1alpha1.CDPCredentialSpec) {
			s.Target.DeletionPolicy, s.Suspend = v1alpha1.DeletionPolicyRetain, true
		})
		w.runFor(time.Second)
		w.api.setSecret(nil, o.secret(backup.Name), nil)
		if _, err := w.api.createSecret(nil, o.secret(backup.Name), backup); err != nil {
			return err.Error()
		}
		o.edit(func(s *v1alpha1.CDPCredentialSpec) { s.Target.Name, s.Suspend = "renamed", false })
		w.runFor(30 * time.Second)
		if left := w.api.secrets[o.secret(backup.Name)]; left == nil || len(left.OwnerReferences) > 0 {
			return fmt.Sprintf("what is left of it: %+v", left)
		}
		return ""
	}},
	{"seed 933535: refused again and again, and basic in between", "algonomy", func(w *world, o *object) string {
		was := o.get().Spec.Provider
		for range 5 {
			w.api.editSecret(o.secret(o.clientSecretNames()[0]), func(s *corev1.Secret) { s.Data["oauth-key-secret"] = []byte(fmt.Sprint("wrong", w.now)) })
			refresh(o, fmt.Sprint(w.now))
			w.runFor(15 * time.Second)
		}
		o.edit(func(s *v1alpha1.CDPCredentialSpec) { s.Provider = v1alpha1.Provider{Basic: &v1alpha1.Basic{}} })
		w.runFor(2 * time.Second)
		o.edit(func(s *v1alpha1.CDPCredentialSpec) { s.Provider = was })
		w.runFor(2 * time.Minute)
		return ""
	}},
	{"throttled, and basic in between", "oauth2", func(w *world, o *object) string {
		was := o.get().Spec.Provider
		w.throttle(o)
		o.edit(func(s *v1alpha1.CDPCredentialSpec) { s.Provider = v1alpha1.Provider{Basic: &v1alpha1.Basic{}} })
		w.runFor(30 * time.Second)
		o.edit(func(s *v1alpha1.CDPCredentialSpec) { s.Provider = was })
		return w.throttledToTheEnd(o)
	}},
	{"seed 934409: a token ends that cannot be had early, in a contest over its target", "oauth2", func(w *world, o *object) string {
		w.vendors.hosts[oauthHost].sameUntilDead = true
		w.runFor(90 * time.Minute) // until the second token has come back
		for w.now < w.judge.record(o.target()).expires-10*time.Second {
			o.editTarget(func(s *corev1.Secret) { delete(s.Labels, v1alpha1.ManagedByLabel) })
			w.runFor(2 * time.Second)
		}
		w.runFor(2 * time.Minute)
		return ""
	}},
	{"seed 933311: the record on the target is destroyed, and the target renamed", "oauth2", func(w *world, o *object) string {
		before := o.target().Name
		o.edit(func(s *v1alpha1.CDPCredentialSpec) { s.Suspend = true })
		w.runFor(time.Second)
		o.editTarget(func(s *corev1.Secret) { s.Annotations[v1alpha1.StateAnnotation] = "edited" })
		w.runFor(time.Second)
		o.edit(func(s *v1alpha1.CDPCredentialSpec) { s.Target.Name, s.Suspend = "renamed", false })
		w.runFor(30 * time.Second)
		if w.api.secrets[o.secret(before)] != nil {
			return "the Secret of before is still there"
		}
		return ""
	}},
	{"seed 13037: the budget is spent, another provider is named and another label wanted, and then the first provider again", "algonomy", func(w *world, o *object) string {
		was := o.get().Spec.Provider
		o.edit(func(s *v1alpha1.CDPCredentialSpec) {
			s.Refresh = &v1alpha1.Refresh{MaxPerDay: new(int32(1))}
			s.Provider = v1alpha1.Provider{Apsis: &v1alpha1.Apsis{}}
			s.Target.Labels = map[string]v1alpha1.LabelValue{"team": "a"}
		})
		w.runFor(15 * time.Second)
		o.edit(func(s *v1alpha1.CDPCredentialSpec) { s.Provider = was })
		w.runFor(15 * time.Second)
		if target := o.target(); string(target.Data["tenant_hash"]) != "obj.a" || target.Labels["team"] != "a" {
			return fmt.Sprintf("the target has %v and %v", target.Data, target.Labels)
		}
		return ""
	}},
	{"seed 47758: a token that was issued after a refusal by the API is tried in its last second", "apsis", func(w *world, o *object) string {
		h := w.vendors.hosts[apsisHost]
		h.lifetime, h.sameUntilDead, h.offset = 5*time.Minute, true, 700*time.Millisecond
		w.vendors.hosts[apiHost].stray = 401
		o.edit(func(s *v1alpha1.CDPCredentialSpec) {
			s.Verify = &v1alpha1.Verify{URL: "https://" + apiHost + "/v1", Interval: &metav1.Duration{Duration: h.lifetime - time.Second}}
		})
		w.runFor(15 * time.Second)
		if rec := w.judge.record(o.target()); rec.Cause != "Rejected" {
			return "its cause is " + rec.Cause
		}
		w.stayQuiet(2 * time.Hour)
		return ""
	}},
	{"seed 310402: the record is lost beside a token, then basic takes the Secret over, and the object goes", "apsis", func(w *world, o *object) string {
		name := o.secret(o.get().Spec.Target.Name)
		o.editTarget(func(s *corev1.Secret) { s.Annotations, s.OwnerReferences = nil, nil })
		w.runFor(time.Second)
		o.edit(func(s *v1alpha1.CDPCredentialSpec) { s.Provider = w.provider("basic") })
		w.runFor(time.Second)
		o.editTarget(func(s *corev1.Secret) {
			s.Annotations = map[string]string{v1alpha1.CredentialAnnotation: o.name.Name}
		})
		w.runFor(time.Second)
		w.api.deleteCredential(o.name)
		w.runFor(time.Minute)
		if left := w.api.secrets[name]; left == nil || len(left.Data) != 1 || left.Data["token"] == nil || len(left.Annotations) > 0 {
			return fmt.Sprintf("what is left is %+v", left)
		}
		return ""
	}},
	{"seed 111212: a shared target comes back from a backup made before it was shared, and the object goes", "oauth2", func(w *world, o *object) string {
		name, backup := o.secret(o.get().Spec.Target.Name), o.target()
		o.editTarget(func(s *corev1.Secret) { s.Data["foreign"] = []byte("mine") })
		w.runFor(5 * time.Second)
		w.api.setSecret(nil, name, nil)
		if _, err := w.api.createSecret(nil, name, backup); err != nil {
			panic(err)
		}
		w.api.deleteCredential(o.name)
		w.runFor(time.Minute)
		if left := w.api.secrets[name]; left != nil {
			return fmt.Sprintf("what is left is %+v", left)
		}
		return ""
	}},
	{"the key of others is taken out of a shared target, and the object goes", "oauth2", func(w *world, o *object) string {
		name := o.secret(o.get().Spec.Target.Name)
		o.editTarget(func(s *corev1.Secret) { s.Data["foreign"] = []byte("mine") })
		w.runFor(5 * time.Second)
		o.editTarget(func(s *corev1.Secret) { delete(s.Data, "foreign") })
		w.api.deleteCredential(o.name)
		w.runFor(time.Minute)
		if left := w.api.secrets[name]; left != nil {
			return fmt.Sprintf("what is left is %+v", left)
		}
		return ""
	}},
	{"seed 123773: a process begins with a list of Secrets from before basic's, and the previous leader goes on", "basic", func(w *world, o *object) string {
		old := w.leader()
		old.paused, old.pausedAt = true, w.now
		w.startReplica(w.now + time.Second).cache.watches[1].stuckUntil = w.now + 10*time.Minute
		w.runFor(time.Minute) // it has the object
		old.proceed()
		w.runFor(30 * time.Second)
		if said := o.refreshed(); said != v1alpha1.ReasonTokenIssued {
			return "Refreshed is " + said
		}
		return ""
	}},
	{"seed 126708: a webhook takes the record off, and the answer to the write is lost", "oauth2", func(w *world, o *object) string {
		w.api.mutate = func(s *corev1.Secret) *corev1.Secret { return stripped(s, v1alpha1.StateAnnotation) }
		version := o.target().ResourceVersion
		w.answered(o, func() { refresh(o, "now") })
		w.losesTheAnswer(func() bool { return o.target().ResourceVersion != version })
		w.runFor(5 * time.Second)
		w.api.mutate = nil
		w.runFor(time.Minute)
		if o.target().Annotations[v1alpha1.StateAnnotation] == "" {
			return "there is no record beside the token"
		}
		return ""
	}},
	{"seed 710471: the previous leader, whose clock is ahead, has written status last", "oauth2", func(w *world, o *object) string {
		ends := o.get().Status.TokenExpirationTime.Time
		w.api.editCredential(o.name, func(obj *v1alpha1.CDPCredential) {
			for _, t := range []**metav1.Time{&obj.Status.LastRefreshTime, &obj.Status.NextRefreshTime, &obj.Status.TokenExpirationTime} {
				*t = new(metav1.NewTime((*t).Add(70 * time.Minute)))
			}
		})
		w.runFor(5 * time.Second)
		if said := o.get().Status.TokenExpirationTime; !said.Time.Equal(ends) {
			return fmt.Sprintf("status says that the token ends at %s, not at %s", said, ends)
		}
		return ""
	}},
	{"seed 201727: the target is deleted while the watch of Secrets says nothing, and the client is refused", "oauth2", func(w *world, o *object) string {
		w.leader().cache.watches[1].stuckUntil = w.now + 2*time.Hour
		w.judge.obstruct(nil, 2*time.Hour)
		w.api.setSecret(nil, o.secret(o.get().Spec.Target.Name), nil)
		w.vendors.secrets[o.clientID("a")] = "another"
		w.runFor(70 * time.Minute)
		if said := o.refreshed(); said != "CredentialsRejected" {
			return "Refreshed is " + said
		}
		return ""
	}},
	{"seed 720355: a process begins with an old list, and may read the object but not its client Secret", "oauth2", func(w *world, o *object) string {
		w.vendors.hosts[oauthHost].lifetime = 15 * time.Minute
		refresh(o, "now")
		w.runFor(time.Minute)
		since, ends := w.now, w.judge.record(o.target()).expires
		w.runTo(w.clockAt(o.get().Status.NextRefreshTime) + time.Second) // it has a new token by then
		w.vendors.hosts[oauthHost].trouble = throttlingRetryAfter
		w.runTo(ends + time.Second)
		refresh(o, "again")
		w.runFor(3 * time.Second)
		w.leader().kill()
		next := o.get().Status.NextRefreshTime
		w.apiFault.denied, w.apiFault.denial = []string{"get Secret " + o.clientSecretNames()[0]}, refusedReads[0]
		for i := range w.startReplica(w.now - since).cache.watches {
			w.leader().cache.watches[i].stuckUntil = w.now + 10*time.Minute
		}
		w.runFor(30 * time.Second)
		if said := o.get().Status; o.refreshed() != "Throttled" || !said.NextRefreshTime.Equal(next) {
			return "status is " + shortStatus(&said)
		}
		return ""
	}},
	{"the watch says nothing of a renewal, and then the object may not be read", "oauth2", func(w *world, o *object) string {
		w.vendors.hosts[oauthHost].lifetime = 15 * time.Minute
		refresh(o, "now")
		w.runFor(time.Minute)
		w.judge.obstruct(o, time.Hour)
		w.leader().cache.watches[0].stuckUntil = w.now + time.Hour
		w.runTo(w.clockAt(o.get().Status.NextRefreshTime) + time.Minute)
		w.apiFault.denied, w.apiFault.denial = []string{"get CDPCredential " + o.name.Name}, refusedReads[0]
		w.runTo(w.clockAt(o.get().Status.NextRefreshTime) + time.Minute)
		if !isTrue(o, "Ready") {
			return "status is " + shortStatus(&o.get().Status)
		}
		return ""
	}},
	{"seed 211865: the budget of a day is spent, and that of the next was begun by a leader whose clock was ahead", "oauth2", func(w *world, o *object) string {
		o.edit(func(s *v1alpha1.CDPCredentialSpec) { s.Refresh = &v1alpha1.Refresh{MaxPerDay: new(int32(2))} })
		request := func(value string) {
			refresh(o, value)
			w.runFor(15 * time.Second)
		}
		request("the second of the day")
		w.judge.obstruct(o, 3*time.Hour)
		w.runTo(75 * time.Minute) // half an hour before midnight
		w.leader().kill()
		w.startReplica(0).skew = 35 * time.Minute
		request("the first of the next")
		w.leader().kill()
		w.startReplica(0)
		request("the second of the next")
		request("one too many")
		if i := o.get().Status.Issuance; o.refreshed() != v1alpha1.ReasonBudgetSpent || i.Count != 2 {
			return fmt.Sprintf("Refreshed is %s, and counted are %+v", o.refreshed(), i)
		}
		return ""
	}},
	{"seed 760289: a token is to be verified, and the client Secret lacks a key", "apsis", func(w *world, o *object) string {
		o.edit(func(s *v1alpha1.CDPCredentialSpec) { s.Verify = &v1alpha1.Verify{URL: "https://" + apiHost + "/v1"} })
		w.runFor(time.Minute)
		w.editIfThere(o.secret(o.clientSecretNames()[0]), func(s *corev1.Secret) { delete(s.Data, "client-id") })
		w.stayQuiet(20 * time.Minute)
		return ""
	}},
	{"a label changes while another scope waits for its turn, and while the budget is spent", "oauth2", func(w *world, o *object) string {
		label := func(team v1alpha1.LabelValue, scope v1alpha1.Scope) {
			o.edit(func(s *v1alpha1.CDPCredentialSpec) {
				s.Target.Labels, s.Provider.OAuth2.Scopes = map[string]v1alpha1.LabelValue{"team": team}, []v1alpha1.Scope{scope}
			})
		}
		refresh(o, "now")
		w.runFor(5 * time.Second)
		label("a", "write")
		w.runFor(time.Second)
		if obj := o.get(); o.target().Labels["team"] != "a" || obj.Status.ObservedGeneration == obj.Generation {
			return fmt.Sprintf("before the turn has come, the labels are %v: %s", o.target().Labels, shortStatus(&obj.Status))
		}
		w.runFor(20 * time.Second)
		if obj := o.get(); w.judge.stats.exchanges != 3 || obj.Status.ObservedGeneration != obj.Generation {
			return fmt.Sprintf("%d exchanges: %s", w.judge.stats.exchanges, shortStatus(&obj.Status))
		}
		o.edit(func(s *v1alpha1.CDPCredentialSpec) { s.Refresh = &v1alpha1.Refresh{MaxPerDay: new(int32(3))} })
		w.runFor(time.Second)
		label("b", "read")
		w.requested("patch status")
		w.runFor(10 * time.Millisecond)
		if said := o.refreshed(); o.target().Labels["team"] != "b" || said != v1alpha1.ReasonBudgetSpent {
			return fmt.Sprintf("the labels are %v, and Refreshed is %s", o.target().Labels, said)
		}
		return ""
	}},
	{"seed 74177: a leader of before, too, finds out that the namespace is being deleted", "oauth2", func(w *world, o *object) string {
		w.startReplica(0)
		w.runTo(w.clockAt(o.get().Status.NextRefreshTime) - time.Second)
		w.api.endNamespace(o.name.Namespace)
		w.runFor(5 * time.Second)
		if asked := w.judge.stats.exchanges; asked != 3 {
			return fmt.Sprintf("%d exchanges, not one and then one of each process", asked)
		}
		return ""
	}},
	{"seed 332222: a process with another clock begins with a list from before a refusal", "oauth2", func(w *world, o *object) string {
		w.leader().setClock(time.Hour)
		w.runFor(time.Minute)
		w.vendors.secrets[o.clientID("a")] = "another"
		refresh(o, "now")
		requested := w.now
		w.runFor(2 * time.Second)
		w.leader().kill()
		for i := range w.startReplica(w.now - requested + time.Second).cache.watches {
			w.leader().cache.watches[i].stuckUntil = w.now + 30*time.Second
		}
		w.runFor(time.Minute)
		if said := o.refreshed(); said != "CredentialsRejected" {
			return "of the refusal nothing is left: Refreshed is " + said
		}
		w.vendors.secrets[o.clientID("a")] = "s0"
		w.runFor(15 * time.Minute)
		if said := o.refreshed(); said != "TokenIssued" {
			return "it was not tried again: " + shortStatus(&o.get().Status)
		}
		return ""
	}},
	{"seed 301094: a bad template, and the token is still tried at the API", "oauth2", func(w *world, o *object) string {
		o.edit(func(s *v1alpha1.CDPCredentialSpec) {
			s.Verify = &v1alpha1.Verify{URL: "https://" + apiHost + "/v1"}
			s.Target.Data = map[string]v1alpha1.DataTemplate{"header": "{{ .nothing"}
		})
		w.runFor(11 * time.Minute)
		if c := meta.FindStatusCondition(o.get().Status.Conditions, v1alpha1.ConditionVerified); c == nil || c.Reason != v1alpha1.ReasonVerified || o.refreshed() != "InvalidTemplate" {
			return fmt.Sprintf("Verified is %+v, and Refreshed is %s", c, o.refreshed())
		}
		return ""
	}},
}

func refresh(o *object, value string) {
	o.w.api.editCredential(o.name, func(obj *v1alpha1.CDPCredential) {
		obj.Annotations = map[string]string{v1alpha1.RefreshRequestedAtAnnotation: value}
	})
}

// answered does something that makes the operator ask for a token, and lets time go by until it has the answer, which it has not written then.
func (w *world) answered(o *object, do func()) {
	do()
	f := w.judge.file(o.get().UID)
	before := f.last
	for end := w.now + time.Minute; f.last == before; w.runFor(time.Millisecond) {
		if w.now > end {
			w.violated("test", "no token was asked for")
		}
	}
}

// requested lets time go by until a request is on its way.
func (w *world) requested(what string) {
	for end := w.now + time.Minute; ; w.runFor(time.Millisecond) {
		for _, p := range w.leader().running {
			if n := len(p.requests); n > 0 && p.requests[n-1] == what {
				return
			}
		}
		if w.now > end {
			w.violated("test", "no request was made to %s", what)
		}
	}
}

// losesTheAnswer lets time go by until the operator has written something, of which it does not hear.
func (w *world) losesTheAnswer(written func() bool) {
	w.apiFault.lost = 1
	for end := w.now + time.Minute; !written(); w.runFor(time.Millisecond) {
		if w.now > end {
			w.violated("test", "nothing was written")
		}
	}
	w.runFor(10 * time.Millisecond)
	w.apiFault.lost = 0
}

// throttle has the object told to wait for 150 s.
func (w *world) throttle(o *object) {
	w.vendors.hosts[oauthHost].trouble = throttlingRetryAfter
	refresh(o, "now")
	w.runFor(time.Second)
	w.vendors.hosts[oauthHost].trouble = fine
}

// throttledToTheEnd says whether it waits for the rest of that time, and says so, whatever was in the way meanwhile.
func (w *world) throttledToTheEnd(o *object) string {
	w.runFor(time.Second)
	if said := o.refreshed(); said != "Throttled" {
		return "Refreshed is " + said
	}
	w.runFor(150 * time.Second)
	if said := o.refreshed(); said != "TokenIssued" || o.get().Status.LastHandledRefreshRequest != "now" || o.get().Status.RefreshPending {
		return "at the end, Refreshed is " + said
	}
	return ""
}

// refreshed is the reason of the condition Refreshed.
func (o *object) refreshed() string {
	if c := meta.FindStatusCondition(o.get().Status.Conditions, v1alpha1.ConditionRefreshed); c != nil {
		return c.Reason
	}
	return ""
}

func TestStoriesThatSeedsFoundKeepThePromises(t *testing.T) {
	wires := newWiring(t)
	for _, story := range found {
		t.Run(story.name, func(t *testing.T) {
			w, o := plainWorld(wires, func(line string) { t.Log(line) })
			broken := w.watched(func() {
				w.startReplica(0)
				o.apply(story.provider)
				w.runFor(30 * time.Second)
				if wrong := story.do(w, o); wrong != "" {
					w.violated("story", "%s", wrong)
				}
			})
			if broken != nil {
				t.Error(broken)
			}
		})
	}
}

// renamedWithoutRecord has somebody edit the record on a target, and more, which is then given another name.
func (w *world) renamedWithoutRecord(o *object, more func(*corev1.Secret)) {
	o.edit(func(s *v1alpha1.CDPCredentialSpec) { s.TLS = &v1alpha1.TLS{CABundle: []byte("bad")} })
	w.runFor(time.Second)
	o.editTarget(func(s *corev1.Secret) {
		s.Annotations[v1alpha1.StateAnnotation] = "mine"
		more(s)
	})
	w.runFor(time.Second)
	rename(w, o)
	w.runFor(time.Second)
	o.edit(func(s *v1alpha1.CDPCredentialSpec) { s.TLS = nil })
	w.runFor(30 * time.Second)
}

// keepsWaiting does something that is no reason for an exchange while the held token is known to come back until it ends.
func (w *world) keepsWaiting(do func()) string {
	w.vendors.hosts[oauthHost].sameUntilDead = true
	w.runFor(85 * time.Minute) // until the second token has come back
	before := w.judge.stats.exchanges
	do()
	w.runFor(8 * time.Minute)
	if asked := w.judge.stats.exchanges - before; before != 3 || asked != 0 {
		return fmt.Sprintf("it was asked %d times before and %d times after", before, asked)
	}
	return ""
}

// TestLostAnswersToWritesCostNoRead is of the seeds 36010, 47086 and 97309: the answers to the first write of a target and to a later one are lost. The process has written
// it all the same, and does not look at the API server's again before the renewal, whether its cache shows that at once or later.
func TestLostAnswersToWritesCostNoRead(t *testing.T) {
	wires := newWiring(t)
	for _, lag := range []time.Duration{5 * time.Millisecond, 2 * time.Second} {
		w, o := plainWorld(wires, func(line string) { t.Log(line) })
		if broken := w.watched(func() {
			w.lag = lag
			w.startReplica(0)
			w.answered(o, func() { o.apply("oauth2") })
			w.losesTheAnswer(func() bool { return o.target() != nil })
			w.runFor(time.Minute)
			version := o.target().ResourceVersion
			o.edit(func(s *v1alpha1.CDPCredentialSpec) { s.Target.Labels = map[string]v1alpha1.LabelValue{"team": "a"} })
			w.requested("patch Secret " + o.get().Spec.Target.Name)
			w.losesTheAnswer(func() bool { return o.target().ResourceVersion != version })
			w.runFor(time.Minute)
			w.lag = 5 * time.Millisecond
			w.stayQuiet(3 * time.Hour)
		}); broken != nil {
			t.Errorf("with a cache that lags by %s: %v", lag, broken)
		}
	}
}

// TestRepairOfNamespaceBeingDeletedAppliesItsObjectAnew is of the seeds 353416 and 88719: Kubernetes never revives a namespace with what was in it, so that an
// operator may take one that it knows to be ending for lost.
func TestRepairOfNamespaceBeingDeletedAppliesItsObjectAnew(t *testing.T) {
	w, o := plainWorld(newWiring(t), func(line string) { t.Log(line) })
	if broken := w.watched(func() {
		w.startReplica(0)
		o.apply("oauth2")
		w.runFor(30 * time.Second)
		before := o.get()
		w.api.endNamespace(o.name.Namespace)
		w.runFor(time.Minute)
		w.repair(o, planned{kind: "oauth2"})
		if after := o.get(); after.UID == before.UID || o.target() != nil {
			t.Errorf("the object is the same (%v), or its target was kept (%v)", after.UID == before.UID, o.target() != nil)
		}
		w.runFor(30 * time.Second)
		if said := o.refreshed(); said != v1alpha1.ReasonTokenIssued {
			t.Errorf("in the new namespace, Refreshed is %s", said)
		}
	}); broken != nil {
		t.Error(broken)
	}
}
