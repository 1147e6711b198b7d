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

// found are minimal reproductions of what seeds have found. A seed itself leads to another world as soon as the operator makes one request more or
// less, so it proves nothing later. Each starts with an object that has its first token and returns what is wrong at the end, in addition to what the
// judge checks all the time.
var found = []struct {
	name, provider string
	do             func(w *world, o *object) string
}{
	{"another Secret of the same client, at an endpoint that repeats its token", "oauth2", func(w *world, o *object) string {
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
			return fmt.Sprintf("%d exchanges, want 1", asked)
		}
		return ""
	}},
	{"two leaders whose clocks are 35 minutes apart, one of which has not noticed that it was deposed", "oauth2", func(w *world, o *object) string {
		w.startReplica(0).skew = -35 * time.Minute
		writes := map[string]int{}
		w.overhears = func(_ types.NamespacedName, what string) { writes[what]++ }
		w.runFor(time.Minute)
		w.overhears = nil
		if rewrites := writes["patch Secret "+o.get().Spec.Target.Name]; rewrites > 14 || writes["patch status"] > 40 { // each rewrites every ten seconds
			return fmt.Sprintf("within a minute: %v", writes)
		}
		return ""
	}},
	{"seed 52531: a renewal waits for its turn, then its client Secret cannot be read", "oauth2", func(w *world, o *object) string {
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
		w.runTo(due + 25*time.Second) // it is stopped by the breaker
		asked := w.judge.file(o.get().UID).last
		w.apiFault.denied, w.apiFault.denial = []string{"get Secret " + o.clientSecretNames()[0]}, refusedReads[0]
		w.runTo(due + heldUpGrace)
		if said := o.refreshed(); said == v1alpha1.ReasonTokenIssued || w.judge.file(o.get().UID).last != asked {
			return "a minute after it was due, Refreshed is " + said
		}
		return ""
	}},
	{"seed 82766: a deposed leader whose clock is behind reports once more that writes are refused", "oauth2", func(w *world, o *object) string {
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
		w.runFor(time.Second) // and so is the old one, which reports it
		old.kill()
		w.apiFault.denied = nil
		w.runFor(15 * time.Minute)
		if said := o.refreshed(); said != v1alpha1.ReasonTokenIssued {
			return "a quarter of an hour later, Refreshed is " + said
		}
		return ""
	}},
	{"seed 64294: a token expires before the cache shows it", "oauth2", func(w *world, o *object) string {
		w.lag = 2 * time.Second
		w.vendors.hosts[oauthHost].trouble = deadTokens
		w.judge.obstruct(o, 24*time.Hour)
		refresh(o, "now")
		w.runFor(24 * time.Hour)
		return ""
	}},
	{"seed 30624: a renewal is rejected, then returns the current token, and is rejected after its expiry with a new leader", "oauth2", func(w *world, o *object) string {
		h := w.vendors.hosts[oauthHost]
		h.sameUntilDead = true
		refresh(o, "now")
		w.runFor(15 * time.Second)
		h.stray = 403
		for w.runFor(time.Minute); o.refreshed() != v1alpha1.ReasonTokenIssued || o.get().Status.RepeatedUntil == nil; w.runFor(time.Minute) {
			if w.now > 2*time.Hour {
				return "the current token was not returned again"
			}
		}
		h.stray = 403
		ends := w.judge.record(o.target()).expires
		w.runTo(ends - time.Second)
		w.restart()
		w.runTo(ends + 30*time.Minute)
		if said := o.refreshed(); said != v1alpha1.ReasonTokenIssued {
			return "half an hour after the expiry, Refreshed is " + said
		}
		return ""
	}},
	{"seed 55524: a token expires while other objects' calls occupy all three workers", "oauth2", func(w *world, o *object) string {
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
	{"seed 7062: an annotation was removed, and the token that is repeated until it expires expires", "oauth2", func(w *world, o *object) string {
		w.vendors.hosts[oauthHost].sameUntilDead = true
		w.runFor(90 * time.Minute) // until the second token is repeated
		w.api.mutate = func(s *corev1.Secret) *corev1.Secret { return stripped(s, v1alpha1.ExpiresAtAnnotation) }
		w.runFor(15 * time.Minute) // in which the third is written, then repeated
		w.api.mutate = nil
		w.runFor(21 * time.Minute) // until the contest is over
		w.stayQuiet(2 * time.Hour)
		if o.target().Annotations[v1alpha1.ExpiresAtAnnotation] == "" {
			return "the annotation is missing"
		}
		return ""
	}},
	{"seed 8648: an annotation was removed, and the token is repeated for the first time", "oauth2", func(w *world, o *object) string {
		w.vendors.hosts[oauthHost].sameUntilDead = true
		w.runFor(45 * time.Minute) // until there is a token that is repeated
		w.api.mutate = func(s *corev1.Secret) *corev1.Secret { return stripped(s, v1alpha1.ExpiresAtAnnotation) }
		o.edit(func(s *v1alpha1.CDPCredentialSpec) { s.Target.Labels = map[string]v1alpha1.LabelValue{"team": "a"} })
		w.runFor(time.Minute)
		w.api.mutate = nil
		w.runFor(2 * time.Minute)  // until the contest is over
		w.stayQuiet(2 * time.Hour) // a repeated token is written at the price of a renewal
		if o.target().Annotations[v1alpha1.ExpiresAtAnnotation] == "" {
			return "the annotation is missing"
		}
		return ""
	}},
	{"seed 931950: the clock is set, at an endpoint that repeats its token until it expires", "oauth2", func(w *world, o *object) string {
		return w.keepsWaiting(func() { w.leader().setClock(time.Hour) })
	}},
	{"labels are changed, at an endpoint that repeats its token until it expires", "oauth2", func(w *world, o *object) string {
		return w.keepsWaiting(func() {
			o.edit(func(s *v1alpha1.CDPCredentialSpec) { s.Target.Labels = map[string]v1alpha1.LabelValue{"team": "a"} })
		})
	}},
	{"seed 923541: responses are lost while somebody keeps resetting the token", "oauth2", func(w *world, o *object) string {
		w.apiFault.lost = 0.5
		w.resetToken(o, 5*time.Second, w.now+40*time.Minute)
		w.runFor(40 * time.Minute)
		w.apiFault.lost = 0
		return ""
	}},
	{"seed 2291: basic replaces a token, then the clock is set back", "oauth2", func(w *world, o *object) string {
		o.edit(func(s *v1alpha1.CDPCredentialSpec) { s.Provider = w.provider("basic") })
		w.runFor(time.Minute)
		w.leader().setClock(-time.Hour)
		w.editIfThere(o.secret(o.get().Spec.ClientSecretRef.Name), func(s *corev1.Secret) { s.Labels = map[string]string{"team": "a"} })
		w.runFor(time.Minute)
		return ""
	}},
	{"seed 729: object and target are gone, but only the watch of Secrets shows it", "oauth2", func(w *world, o *object) string {
		w.leader().cache.watches[0].stuckUntil = w.now + 5*time.Minute
		w.api.deleteCredential(o.name)
		w.runFor(time.Minute)
		return ""
	}},
	{"seed 10276: the state annotation is edited before the target is renamed", "basic", func(w *world, o *object) string {
		name := o.get().Spec.Target.Name
		w.renamedWithoutRecord(o, func(*corev1.Secret) {})
		if w.api.secrets[o.secret(name)] != nil {
			return "the previous target still exists"
		}
		return ""
	}},
	{"seed 11661: a template is removed and the state annotation edited before the target is renamed", "oauth2", func(w *world, o *object) string {
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
			return fmt.Sprintf("the previous target is %+v", old)
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
			return "the Secret was changed:  " + diff
		}
		return ""
	}},
	{"the state annotation is edited before a shared target is renamed", "oauth2", func(w *world, o *object) string {
		name := o.get().Spec.Target.Name
		w.renamedWithoutRecord(o, func(s *corev1.Secret) { s.Data["foreign"] = []byte("mine") })
		if old := w.api.secrets[o.secret(name)]; old == nil || len(old.OwnerReferences) > 0 || old.Data["token"] != nil || len(old.Annotations) > 0 {
			return fmt.Sprintf("the previous target is %+v", old)
		}
		return ""
	}},
	{"seed 13564: a bad template, and a token that is repeated until it expires", "oauth2", func(w *world, o *object) string {
		w.vendors.hosts[oauthHost].sameUntilDead = true
		w.runFor(90 * time.Minute) // until the second token is repeated
		o.edit(func(s *v1alpha1.CDPCredentialSpec) {
			s.Target.Data = map[string]v1alpha1.DataTemplate{"header": "{{ .nothing"}
		})
		w.stayQuiet(2 * time.Hour)
		if said := o.refreshed(); said != "InvalidTemplate" {
			return "Refreshed is " + said
		}
		return ""
	}},
	{"seed 15366: the client is rejected, and a write that needs no exchange is refused", "oauth2", func(w *world, o *object) string {
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
			return fmt.Sprintf("%d exchanges, want none", asked)
		}
		return ""
	}},
	{"seed 924388: a foreign key is added while the object is blocked, and a new process finds it", "basic", func(w *world, o *object) string {
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
	{"seed 922316: a shared target is renamed, and renamed back while its old name is being cleaned up", "oauth2", func(w *world, o *object) string {
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
	{"seed 921559: a foreign key is added while a token is being written", "oauth2", func(w *world, o *object) string {
		refresh(o, "now")
		w.requested("patch Secret " + o.get().Spec.Target.Name)
		o.editTarget(func(s *corev1.Secret) { s.Data["foreign"] = []byte("mine") })
		w.runFor(30 * time.Second)
		if owners := o.target().OwnerReferences; len(owners) > 0 {
			return fmt.Sprintf("the garbage collector would delete it: %+v", owners)
		}
		return ""
	}},
	{"seed 20717: a token was never written, then another client is named", "oauth2", func(w *world, o *object) string {
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
	{"seed 11924: status and target are deleted", "oauth2", func(w *world, o *object) string {
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
	{"seed 39194: a new object whose client is rejected from the first attempt on", "oauth2", func(w *world, o *object) string {
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
	{"seed 16453: throttled, with a bad CA bundle meanwhile", "oauth2", func(w *world, o *object) string {
		w.throttle(o)
		o.edit(func(s *v1alpha1.CDPCredentialSpec) { s.TLS = &v1alpha1.TLS{CABundle: []byte("bad")} })
		w.runFor(time.Second)
		if said := o.refreshed(); said != "InvalidSpec" {
			return "Refreshed is " + said
		}
		o.edit(func(s *v1alpha1.CDPCredentialSpec) { s.TLS = nil })
		return w.throttledToTheEnd(o)
	}},
	{"throttled, with a missing key meanwhile", "oauth2", func(w *world, o *object) string {
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
	{"seed 66403: a refresh request fails at first, then the response to the write is lost", "oauth2", func(w *world, o *object) string {
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
	{"seed 60349: a target is created again from the current token, and the response is lost", "oauth2", func(w *world, o *object) string {
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
		w.apiFault.slow = 200 * time.Millisecond // so that the cache shows it
		w.requested("create Secret " + held.Name)
		w.apiFault.slow = 0
		for i := range w.leader().cache.watches {
			w.leader().cache.watches[i].stuckUntil = w.now + 5*time.Second // but not the new one
		}
		w.losesTheAnswer(func() bool { return o.target() != nil })
		w.runFor(30 * time.Second)
		if w.judge.stats.exchanges != asked {
			return "a token was requested"
		}
		return ""
	}},
	{"seed 78149: renamed, then renamed back before the cache shows that the old target is gone", "oauth2", func(w *world, o *object) string {
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
	{"seed 17726: a target of basic is restored under another provider", "basic", func(w *world, o *object) string {
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
			return "the target has no token"
		}
		return ""
	}},
	{"seed 32309: basic, with a foreign token in its target", "oauth2", func(w *world, o *object) string {
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
			return "the target was taken for edited"
		}
		return ""
	}},
	{"seed 202071: a change is reverted before the cache shows it", "oauth2", func(w *world, o *object) string {
		w.lag = 2 * time.Second
		w.answered(o, func() { refresh(o, "now") })
		began, name := w.now, o.clientSecretNames()[0]
		w.api.editSecret(o.secret(name), func(s *corev1.Secret) { s.Data["client-secret"] = []byte("other") })
		w.runTo(began + 9*time.Second)
		o.putClientSecret(name)
		asked := w.judge.stats.exchanges
		w.runFor(30 * time.Second)
		if w.judge.stats.exchanges != asked {
			return "a token was requested"
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
			return "the endpoint was called again at once"
		}
		return ""
	}},
	{"seed 178: another client and other labels at once, with the client ID in a template", "oauth2", func(w *world, o *object) string {
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
	{"seed 166: a label is removed so often that it is not restored at once", "oauth2", func(w *world, o *object) string {
		for range 7 {
			o.editTarget(func(s *corev1.Secret) { delete(s.Labels, v1alpha1.ManagedByLabel) })
			w.runFor(300 * time.Millisecond)
		}
		w.runFor(time.Hour)
		if o.target().Labels[v1alpha1.ManagedByLabel] == "" {
			return "the label was not restored"
		}
		return ""
	}},
	{"seed 955: suspended, with another client Secret than that of the last attempt", "oauth2", func(w *world, o *object) string {
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
	{"seed 201057: a retained Secret belongs to a previous object of that name", "oauth2", func(w *world, o *object) string {
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
			return fmt.Sprintf("want the Secret without owner references, got %+v", left)
		}
		return ""
	}},
	{"seed 82373: the token of an early attempt is written by a later reconcile", "algonomy", func(w *world, o *object) string {
		w.runFor(time.Minute)
		client := o.secret(o.clientSecretNames()[0])
		rotate := func(secret []byte) {
			w.api.editSecret(client, func(s *corev1.Secret) { s.Data["oauth-key-secret"] = secret })
		}
		rotate([]byte("wrong"))
		w.runFor(20 * time.Second)
		w.vendors.knowAll = true
		rotate([]byte("right"))
		w.requested("exchange")
		w.apiFault.refused = 1
		w.runFor(2 * time.Second)
		w.apiFault.refused, w.vendors.knowAll = 0, false
		w.runFor(time.Minute)
		for n := range 5 { // the first is not early, two are, and the others wait
			rotate(fmt.Append(nil, "wrong", n))
			w.runFor(12 * time.Second)
		}
		return ""
	}},
	{"seed 933535: rejected again and again, with basic in between", "algonomy", func(w *world, o *object) string {
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
	{"throttled, with basic in between", "oauth2", func(w *world, o *object) string {
		was := o.get().Spec.Provider
		w.throttle(o)
		o.edit(func(s *v1alpha1.CDPCredentialSpec) { s.Provider = v1alpha1.Provider{Basic: &v1alpha1.Basic{}} })
		w.runFor(30 * time.Second)
		o.edit(func(s *v1alpha1.CDPCredentialSpec) { s.Provider = was })
		return w.throttledToTheEnd(o)
	}},
	{"seed 934409: a token that is repeated until it expires, with a contested target", "oauth2", func(w *world, o *object) string {
		w.vendors.hosts[oauthHost].sameUntilDead = true
		w.runFor(90 * time.Minute) // until the second token is repeated
		for w.now < w.judge.record(o.target()).expires-10*time.Second {
			o.editTarget(func(s *corev1.Secret) { delete(s.Labels, v1alpha1.ManagedByLabel) })
			w.runFor(2 * time.Second)
		}
		w.runFor(2 * time.Minute)
		return ""
	}},
	{"seed 933311: the state annotation is destroyed, then the target renamed", "oauth2", func(w *world, o *object) string {
		before := o.target().Name
		o.edit(func(s *v1alpha1.CDPCredentialSpec) { s.Suspend = true })
		w.runFor(time.Second)
		o.editTarget(func(s *corev1.Secret) { s.Annotations[v1alpha1.StateAnnotation] = "edited" })
		w.runFor(time.Second)
		o.edit(func(s *v1alpha1.CDPCredentialSpec) { s.Target.Name, s.Suspend = "renamed", false })
		w.runFor(30 * time.Second)
		if w.api.secrets[o.secret(before)] != nil {
			return "the previous target still exists"
		}
		return ""
	}},
	{"seed 13037: with the budget spent, provider and labels change, then the provider changes back", "algonomy", func(w *world, o *object) string {
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
			return fmt.Sprintf("the target has the data %v and the labels %v", target.Data, target.Labels)
		}
		return ""
	}},
	{"seed 47758: a token that replaced one rejected by the API is verified in its last second", "apsis", func(w *world, o *object) string {
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
	{"seed 310402: the state annotation of a token is lost, basic takes over the Secret, and the object is deleted", "apsis", func(w *world, o *object) string {
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
			return fmt.Sprintf("want a Secret with only the token, got %+v", left)
		}
		return ""
	}},
	{"seed 111212: a shared target is restored from a backup made before it was shared, and the object is deleted", "oauth2", func(w *world, o *object) string {
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
			return fmt.Sprintf("the target was not deleted: %+v", left)
		}
		return ""
	}},
	{"the foreign key is removed from a shared target, and the object is deleted", "oauth2", func(w *world, o *object) string {
		name := o.secret(o.get().Spec.Target.Name)
		o.editTarget(func(s *corev1.Secret) { s.Data["foreign"] = []byte("mine") })
		w.runFor(5 * time.Second)
		o.editTarget(func(s *corev1.Secret) { delete(s.Data, "foreign") })
		w.api.deleteCredential(o.name)
		w.runFor(time.Minute)
		if left := w.api.secrets[name]; left != nil {
			return fmt.Sprintf("the target was not deleted: %+v", left)
		}
		return ""
	}},
	{"seed 123773: a process starts with a list without basic's Secret, and the previous leader continues", "basic", func(w *world, o *object) string {
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
	{"seed 126708: a webhook removes the state annotation, and the response to the write is lost", "oauth2", func(w *world, o *object) string {
		w.api.mutate = func(s *corev1.Secret) *corev1.Secret { return stripped(s, v1alpha1.StateAnnotation) }
		version := o.target().ResourceVersion
		w.answered(o, func() { refresh(o, "now") })
		w.losesTheAnswer(func() bool { return o.target().ResourceVersion != version })
		w.runFor(5 * time.Second)
		w.api.mutate = nil
		w.runFor(time.Minute)
		if o.target().Annotations[v1alpha1.StateAnnotation] == "" {
			return "the state annotation is missing"
		}
		return ""
	}},
	{"seed 710471: the previous leader, whose clock is ahead, wrote status last", "oauth2", func(w *world, o *object) string {
		ends := o.get().Status.TokenExpirationTime.Time
		w.api.editCredential(o.name, func(obj *v1alpha1.CDPCredential) {
			for _, t := range []**metav1.Time{&obj.Status.LastRefreshTime, &obj.Status.NextRefreshTime, &obj.Status.TokenExpirationTime} {
				*t = new(metav1.NewTime((*t).Add(70 * time.Minute)))
			}
		})
		w.runFor(5 * time.Second)
		if said := o.get().Status.TokenExpirationTime; !said.Time.Equal(ends) {
			return fmt.Sprintf("status says that the token expires at %s, not at %s", said, ends)
		}
		return ""
	}},
	{"seed 201727: the target is deleted while the watch of Secrets is stuck, and the client is rejected", "oauth2", func(w *world, o *object) string {
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
	{"seed 720355: a process starts with an old list and may read the object but not its client Secret", "oauth2", func(w *world, o *object) string {
		w.vendors.hosts[oauthHost].lifetime = 15 * time.Minute
		refresh(o, "now")
		w.runFor(time.Minute)
		since, ends := w.now, w.judge.record(o.target()).expires
		w.runTo(w.clockAt(o.get().Status.NextRefreshTime) + time.Second) // in which it gets a new token
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
	{"the watch does not show a renewal, then reads of the object are refused", "oauth2", func(w *world, o *object) string {
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
	{"seed 211865: a leader whose clock is ahead begins the next day's budget", "oauth2", func(w *world, o *object) string {
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
			return fmt.Sprintf("Refreshed is %s, and status.issuance is %+v", o.refreshed(), i)
		}
		return ""
	}},
	{"seed 760289: a token must be verified, but the client Secret lacks a key", "apsis", func(w *world, o *object) string {
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
			return fmt.Sprintf("while the exchange waits, the labels are %v: %s", o.target().Labels, shortStatus(&obj.Status))
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
	{"seed 74177: a deposed leader finds out for itself that the namespace is being deleted", "oauth2", func(w *world, o *object) string {
		w.startReplica(0)
		w.runTo(w.clockAt(o.get().Status.NextRefreshTime) - time.Second)
		w.api.endNamespace(o.name.Namespace)
		w.runFor(5 * time.Second)
		if asked := w.judge.stats.exchanges; asked != 3 {
			return fmt.Sprintf("%d exchanges, want the first one and one of each process", asked)
		}
		return ""
	}},
	{"seed 332222: a process with another clock starts with a list that is older than a rejection", "oauth2", func(w *world, o *object) string {
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
			return "the rejection was lost: Refreshed is " + said
		}
		w.vendors.secrets[o.clientID("a")] = "s0"
		w.runFor(15 * time.Minute)
		if said := o.refreshed(); said != "TokenIssued" {
			return "the endpoint was not called again:  " + shortStatus(&o.get().Status)
		}
		return ""
	}},
	{"seed 301094: with a bad template, the token is still verified", "oauth2", func(w *world, o *object) string {
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

// answered does something that requires an exchange, and advances until the operator has the answer but has not written it.
func (w *world) answered(o *object, do func()) {
	do()
	f := w.judge.file(o.get().UID)
	before := f.last
	for end := w.now + time.Minute; f.last == before; w.runFor(time.Millisecond) {
		if w.now > end {
			w.violated("test", "no token was requested")
		}
	}
}

// requested advances until a request is in flight.
func (w *world) requested(what string) {
	for end := w.now + time.Minute; ; w.runFor(time.Millisecond) {
		for _, p := range w.leader().running {
			if n := len(p.requests); n > 0 && p.requests[n-1] == what {
				return
			}
		}
		if w.now > end {
			w.violated("test", "the request was not made: %s", what)
		}
	}
}

// losesTheAnswer advances until the operator has written something and the response is lost.
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

// throttle makes the endpoint tell the object to wait for 150 s.
func (w *world) throttle(o *object) {
	w.vendors.hosts[oauthHost].trouble = throttlingRetryAfter
	refresh(o, "now")
	w.runFor(time.Second)
	w.vendors.hosts[oauthHost].trouble = fine
}

// throttledToTheEnd requires that the object waits for the rest of that time and reports it, whatever blocked it meanwhile.
func (w *world) throttledToTheEnd(o *object) string {
	w.runFor(time.Second)
	if said := o.refreshed(); said != "Throttled" {
		return "Refreshed is " + said
	}
	w.runFor(150 * time.Second)
	if said := o.refreshed(); said != "TokenIssued" || o.get().Status.LastHandledRefreshRequest != "now" || o.get().Status.RefreshPending {
		return "after the wait, Refreshed is " + said
	}
	return ""
}

// refreshed returns the reason of the condition Refreshed.
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

// renamedWithoutRecord renames a target after its state annotation was edited; more is another edit.
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

// keepsWaiting does something that justifies no exchange while the current token is known to be repeated until it expires.
func (w *world) keepsWaiting(do func()) string {
	w.vendors.hosts[oauthHost].sameUntilDead = true
	w.runFor(85 * time.Minute) // until the second token is repeated
	before := w.judge.stats.exchanges
	do()
	w.runFor(8 * time.Minute)
	if asked := w.judge.stats.exchanges - before; before != 3 || asked != 0 {
		return fmt.Sprintf("%d exchanges before and %d after, want 3 and none", before, asked)
	}
	return ""
}

// TestLostAnswersToWritesCostNoRead (seeds 36010, 47086 and 97309): the responses to the first write of a target and to a later one are lost. The
// process does not read the target again before the renewal, whether its cache shows the write at once or later.
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
			t.Errorf("with a cache lag of %s: %v", lag, broken)
		}
	}
}

// TestRepairOfNamespaceBeingDeletedAppliesItsObjectAnew (seeds 353416 and 88719): Kubernetes never revives a namespace with its content, so the
// operator may consider one lost that it knows is being deleted.
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
			t.Errorf("the object is the same one (%v), or its target still exists (%v)", after.UID == before.UID, o.target() != nil)
		}
		w.runFor(30 * time.Second)
		if said := o.refreshed(); said != v1alpha1.ReasonTokenIssued {
			t.Errorf("in the new namespace, Refreshed is %s", said)
		}
	}); broken != nil {
		t.Error(broken)
	}
}
