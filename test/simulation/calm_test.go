// SPDX-License-Identifier: Apache-2.0

package simulation

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// calm ends all faults. What has begun continues.
func (w *world) calm() {
	w.tell("CALM")
	w.calmed = true
	for _, h := range w.vendors.hosts {
		h.trouble, h.stray, h.early, h.lie = fine, 0, 0, min(h.lie, 1)
		clear(h.troubled)
	}
	for _, t := range w.vendors.tokens {
		t.dies = max(t.dies, t.end, t.expires) // otherwise its early death would be noticed at some random later time
	}
	w.vendors.learns, w.api.mutate = 0, nil
	w.apiFault, w.lag, w.staleStarts = apiFault{}, 5*time.Millisecond, false
	for _, r := range slices.Clone(w.replicas) {
		if r.paused {
			r.proceed()
		}
		if r.deposed && !r.dead {
			r.kill()
		}
		r.fuse = 0
		for i := range r.cache.watches {
			if watch := &r.cache.watches[i]; watch.stuckUntil > w.now {
				watch.stuckUntil, watch.scheduled = w.now, false
				r.listen(watch)
			}
		}
	}
	if w.leader() == nil {
		w.elect(time.Second)
	}
}

// repair is a user who fixes everything that no operator can fix and, unless the plan says half-hearted, also the user's own mistakes.
func (w *world) repair(o *object, p planned) {
	w.judge.userActed()
	w.reviveNamespace(o.name.Namespace)
	if obj := o.get(); obj != nil {
		o.letGo(obj.UID)
	}
	obj := o.get()
	if obj == nil {
		o.apply(p.kind)
		obj = o.get()
	}
	name := obj.Spec.ClientSecretRef.Name
	if secret := w.api.secrets[o.secret(name)]; secret != nil {
		id := o.clientID(name)
		if given := string(secret.Data["client-secret"]); given != "" {
			w.vendors.secrets[id] = given
		}
		w.api.editSecret(o.secret(name), func(s *corev1.Secret) {
			if s.Data["client-secret"] != nil {
				s.Data["oauth-key-secret"] = s.Data["client-secret"]
			}
		})
	}
	target := o.target() // the old name; the edit below may rename it
	o.edit(func(s *v1alpha1.CDPCredentialSpec) {
		s.TLS = nil
		if s.Refresh != nil {
			s.Refresh.MaxPerDay = nil
		}
		if s.Provider.OAuth2 != nil && strings.Contains(string(s.Provider.OAuth2.TokenURL), "nowhere") {
			s.Provider.OAuth2.TokenURL = "https://" + oauthHost + "/token"
		}
		if s.Target.Name == "common" {
			s.Target.Name = o.name.Name + "-token"
		}
	})
	if target != nil {
		if t := w.vendors.tokens[w.judge.tokenOf(target)]; t != nil && (t.revoked || t.refused) {
			w.api.editCredential(o.name, func(obj *v1alpha1.CDPCredential) {
				obj.Annotations = map[string]string{v1alpha1.RefreshRequestedAtAnnotation: "because the API refuses the token"}
			})
		}
	}
	if p.repairedHalfHearted {
		return
	}
	o.putClientSecret(name)
	o.edit(func(s *v1alpha1.CDPCredentialSpec) {
		s.Suspend = false
		for _, template := range s.Target.Data {
			if rendered[template] == nil {
				s.Target.Data = nil
				return
			}
		}
	})
	target = o.target()
	switch {
	case target == nil:
	case !usable(target):
		w.api.setSecret(nil, o.secret(target.Name), nil)
	case owner(target) != obj.Name:
		o.editTarget(func(s *corev1.Secret) {
			s.Annotations = merged(s.Annotations, map[string]*string{v1alpha1.CredentialAnnotation: &obj.Name})
		})
	}
}

// fresh returns a world in which the objects and everything that is not the operator's were just applied, in the state that they have in w.
func (w *world) fresh() *world {
	f := newWorld(w.seed, w.wires)
	f.epoch, f.offset = w.clock(), w.offset
	for name, h := range w.vendors.hosts {
		twin := *h
		twin.kept, twin.troubled = map[string]*token{}, map[string]trouble{}
		f.vendors.hosts[name] = &twin
	}
	f.vendors.secrets = maps.Clone(w.vendors.secrets)
	for _, name := range slices.SortedFunc(maps.Keys(w.api.secrets), byName) {
		secret := w.api.secrets[name]
		if slices.ContainsFunc(w.judge.objects, func(o *object) bool { return o.name.Namespace == name.Namespace && o.name.Name == owner(secret) }) && usable(secret) {
			continue // it belongs to an object, or was handed over to one
		}
		if w.api.orphaned(secret) {
			continue // its owner is gone, so it will be collected
		}
		secret = secret.DeepCopy()
		secret.OwnerReferences = slices.DeleteFunc(secret.OwnerReferences, func(ref metav1.OwnerReference) bool { return ref.Kind == "CDPCredential" })
		if _, err := f.api.createSecret(nil, name, secret); err != nil {
			panic(err)
		}
	}
	for _, o := range w.judge.objects {
		f.judge.objects = append(f.judge.objects, &object{w: f, name: o.name, recordLost: o.recordLost})
		was := o.get()
		f.api.createCredential(o.name, &v1alpha1.CDPCredential{ObjectMeta: metav1.ObjectMeta{Annotations: was.Annotations, Labels: was.Labels}, Spec: was.Spec})
	}
	f.startReplica(0)
	f.runFor(110 * time.Second) // short enough that tokens of two minutes are still valid
	f.end()
	return f
}

// An endState is what a user sees of an object, without what differs from token to token.
type endState struct {
	Conditions map[string]string
	Provider   string
	TargetName string
	Scopes     []string
	Handled    string
	Pending    bool
	Failures   int32
	Scheduled  bool
	Target     *targetState
	// Leftovers are the other Secrets that it owns.
	Leftovers []string
}

type targetState struct {
	Data, Labels, Annotations map[string]string
	Owners                    []string
	Type                      corev1.SecretType
}

// end returns the state of an object. If it cannot get a token, only the reason matters: what it had before depends on its history.
func (o *object) end() endState {
	w, obj := o.w, o.get()
	e := endState{Conditions: map[string]string{}}
	healthy := w.judge.expect(o) == ""
	for _, c := range obj.Status.Conditions {
		if healthy || c.Type == v1alpha1.ConditionRefreshed || c.Type == v1alpha1.ConditionStalled || c.Type == v1alpha1.ConditionReconciling {
			e.Conditions[c.Type] = fmt.Sprintf("%s %s %s current=%v", c.Status, c.Reason, c.Message, c.ObservedGeneration == obj.Generation)
		}
	}
	for name, secret := range w.api.secrets {
		if name.Namespace == o.name.Namespace && name.Name != obj.Spec.Target.Name && secret.Annotations[v1alpha1.StateAnnotation] != "" {
			owned := metav1.GetControllerOf(secret)
			if owner(secret) == obj.Name && owned != nil && owned.UID == obj.UID {
				e.Leftovers = append(e.Leftovers, name.Name)
			}
		}
	}
	slices.Sort(e.Leftovers)
	if obj.Spec.Target.DeletionPolicy == v1alpha1.DeletionPolicyRetain {
		e.Leftovers = nil
	}
	if obj.Spec.Suspend {
		e.Conditions, e.Leftovers = nil, nil
		return e
	}
	if !healthy {
		e.Leftovers = nil
		return e
	}
	e.Provider, e.TargetName, e.Scopes = obj.Status.Provider, obj.Status.TargetName, obj.Status.GrantedScopes
	e.Handled, e.Pending, e.Failures = obj.Status.LastHandledRefreshRequest, obj.Status.RefreshPending, obj.Status.Failures
	e.Scheduled = obj.Status.NextRefreshTime != nil
	if secret := o.target(); secret != nil && !o.recordLost {
		e.Target = o.targetState(secret)
	}
	return e
}

func (o *object) targetState(secret *corev1.Secret) *targetState {
	names := []string{}
	if t := o.w.vendors.tokens[o.w.judge.tokenOf(secret)]; t != nil {
		names = append(names, t.value, fmt.Sprintf("<token of %s>", t.request))
	}
	if expires := secret.Annotations[v1alpha1.ExpiresAtAnnotation]; expires != "" {
		names = append(names, expires, "<expiry>")
	}
	general := strings.NewReplacer(names...)
	s := &targetState{Data: map[string]string{}, Labels: map[string]string{}, Annotations: map[string]string{}, Type: secret.Type}
	for key, value := range secret.Data {
		if !strings.HasPrefix(key, "foreign") {
			s.Data[key] = general.Replace(string(value))
		}
	}
	for key, value := range secret.Labels {
		if !strings.HasPrefix(key, "foreign") {
			s.Labels[key] = value
		}
	}
	for key, value := range secret.Annotations {
		if !strings.HasPrefix(key, "foreign") && key != v1alpha1.StateAnnotation {
			s.Annotations[key] = general.Replace(value)
		}
	}
	for _, ref := range secret.OwnerReferences {
		if ref.Kind == "CDPCredential" {
			s.Owners = append(s.Owners, fmt.Sprintf("%s %s ours=%v controller=%v", ref.Kind, ref.Name, ref.UID == o.get().UID, *ref.Controller))
		}
	}
	// With foreign keys in it, the target has no owner reference, or the garbage collector would delete them; a freshly applied target has no foreign
	// keys. The targets of suspended and Stalled objects are not written at all.
	if obj := o.get(); shared(secret) && obj.Spec.Target.DeletionPolicy != v1alpha1.DeletionPolicyRetain {
		if obj.Spec.Suspend || o.refreshed() != v1alpha1.ReasonTokenIssued {
			s.Owners = nil
		}
		s.Owners = append(s.Owners, fmt.Sprintf("CDPCredential %s ours=true controller=true", obj.Name))
	}
	return s
}

// converge waits until every object looks as if it had just been applied.
func (w *world) converge(within time.Duration) {
	fresh := w.fresh()
	end := w.now + within
	for {
		diff := ""
		for i, o := range w.judge.objects {
			diff += cmp.Diff(fresh.judge.objects[i].end(), o.end())
		}
		if diff == "" {
			return
		}
		if w.now >= end {
			w.violated("history", "after %s the world differs from one in which everything was just applied (-fresh +this):\n%s", within, diff)
		}
		w.runFor(min(31*time.Second, end-w.now)) // out of step with tokens of a minute, one of which might otherwise have just expired every time
	}
}

// stayQuiet requires that nothing but renewals happens.
func (w *world) stayQuiet(d time.Duration) {
	w.runFor(75 * time.Second) // time for what is still running, and for what the API server refused
	w.tell("QUIET")
	w.judge.quiet = true
	w.runFor(d)
	w.judge.quiet = false
}
