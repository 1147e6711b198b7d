// SPDX-License-Identifier: Apache-2.0

package simulation

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// wroteNothing judges a write that changed nothing.
func (j *judge) wroteNothing(by *pass, what string) {
	if j.off || by == nil || by.behind || by.replica.lostAnswers || j.behind(by, true) {
		return // it could not know
	}
	j.w.violated("cost", "a write of %s changed nothing, for %s", what, by.name.Name)
}

// secretChanged judges every change of a Secret.
func (j *judge) secretChanged(by *pass, name types.NamespacedName, before, after *corev1.Secret) {
	if j.off || by == nil {
		return
	}
	w := j.w
	if before != nil && owner(before) != by.name.Name {
		w.violated("foreign", "%s changed Secret %s of %q", by.name.Name, name.Name, owner(before))
	}
	if before != nil && after != nil && owner(after) == "" && j.mixed(by, before) {
		j.withdraws(by, name, before, after)
		return
	}
	if after == nil && j.goesWithObject(by, before) {
		return
	}
	if by.object == nil || by.object.Spec.Suspend {
		w.violated("suspend", "Secret %s was changed for %s, which is suspended or gone", name.Name, by.name.Name)
	}
	o := j.object(by.name)
	if after == nil {
		j.deleted(by, name)
		if !j.mayHaveWritten(by, before) {
			w.violated("foreign", "%s deleted Secret %s, which it did not write", by.name.Name, name.Name)
		}
		if shared(before) {
			w.violated("foreign", "Secret %s was deleted with foreign keys in it", name.Name)
		}
		return
	}
	if by.object.Spec.Target.DeletionPolicy == v1alpha1.DeletionPolicyRetain && before != nil && name.Name != by.object.Spec.Target.Name {
		j.releases(by, before, after)
		return
	}
	if name.Name != by.object.Spec.Target.Name {
		w.violated("foreign", "%s wrote Secret %s, which is not its target", by.name.Name, name.Name)
	}
	j.kept(name, before, after)
	j.published(by, before, after)
	if len(o.backups) < 5 && w.maybe(0.3) {
		o.backups = append(o.backups, after)
	}
	if before == nil && after.Type != corev1.SecretTypeOpaque {
		w.violated("half-written", "Secret %s has the type %q", name.Name, after.Type)
	}
}

// deleted judges the deletion of a previous target after a rename.
func (j *judge) deleted(by *pass, name types.NamespacedName) {
	spec := by.object.Spec.Target
	switch {
	case spec.DeletionPolicy == v1alpha1.DeletionPolicyRetain:
		j.w.violated("foreign", "Secret %s was deleted though %s retains", name.Name, by.name.Name)
	case spec.Name == name.Name:
		j.w.violated("foreign", "%s deleted its own target %s", by.name.Name, name.Name)
	}
	target := j.w.api.secrets[types.NamespacedName{Namespace: name.Namespace, Name: spec.Name}]
	if target == nil && !j.stale(by) {
		j.w.violated("foreign", "%s deleted %s before its new target existed", by.name.Name, name.Name)
	}
}

// shared reports whether a Secret has foreign keys.
func shared(secret *corev1.Secret) bool {
	for key := range secret.Data {
		if strings.HasPrefix(key, "foreign") {
			return true
		}
	}
	return false
}

// recordFor returns the state annotation for what an object wrote into a Secret. If a user destroyed it, the keys of the current target are all that
// the object can consider its own. Nil: there is none either.
func (j *judge) recordFor(by *pass, secret *corev1.Secret) *written {
	rec := j.written[secret.Annotations[v1alpha1.StateAnnotation]]
	if rec == nil && by.object != nil {
		rec = j.record(j.w.api.secrets[types.NamespacedName{Namespace: secret.Namespace, Name: by.object.Spec.Target.Name}])
	}
	return rec
}

// mixed reports whether a Secret has keys that its state annotation does not list: foreign ones, or those of a previous owner.
func (j *judge) mixed(by *pass, secret *corev1.Secret) bool {
	rec := j.recordFor(by, secret)
	if rec == nil {
		return shared(secret)
	}
	for key := range secret.Data {
		if !slices.Contains(rec.Keys, key) {
			return true
		}
	}
	return false
}

// mayHaveWritten reports whether an object may consider the content of a Secret its own: the state annotation is not another object's.
func (j *judge) mayHaveWritten(by *pass, secret *corev1.Secret) bool {
	rec := j.written[secret.Annotations[v1alpha1.StateAnnotation]]
	return rec == nil || rec.Object == by.name.Name
}

// goesWithObject reports whether a deleted Secret belonged entirely to an object that is gone, as far as a reconcile can know. The garbage collector
// would delete it, too, unless it lost its owner reference while it had foreign keys.
func (j *judge) goesWithObject(by *pass, secret *corev1.Secret) bool {
	obj := j.w.api.credentials[by.name]
	gone := by.object == nil && (obj == nil || j.userChanged(by.history, obj))
	return gone && !j.mixed(by, secret) && j.mayHaveWritten(by, secret)
}

// withdraws requires that exactly what the operator wrote was removed from a Secret that it no longer needs.
func (j *judge) withdraws(by *pass, name types.NamespacedName, before, after *corev1.Secret) {
	j.kept(name, before, after)
	if !j.mayHaveWritten(by, before) {
		j.w.violated("foreign", "%s removed something from Secret %s, which it did not write", by.name.Name, name.Name)
	}
	if obj := j.w.api.credentials[by.name]; obj != nil && (obj.Spec.Target.Name == name.Name || obj.Spec.Target.DeletionPolicy == v1alpha1.DeletionPolicyRetain) && !j.stale(by) {
		j.w.violated("foreign", "%s removed its token from Secret %s, which it still needs", by.name.Name, name.Name)
	}
	ours := []string{"token"}
	if rec := j.recordFor(by, before); rec != nil {
		ours = rec.Keys // with basic the token is not among them: it was left by a token whose state annotation somebody removed
	}
	left := slices.ContainsFunc(ours, func(key string) bool { return after.Data[key] != nil })
	if left || after.Annotations[v1alpha1.StateAnnotation] != "" || after.Annotations[v1alpha1.ExpiresAtAnnotation] != "" || after.Labels[v1alpha1.ManagedByLabel] != "" {
		j.w.violated("foreign", "%s left something in Secret %s", by.name.Name, name.Name)
	}
}

// releases requires that a previous target was only released: it loses the owner references to objects of that name. There may be one to an earlier
// object if the Secret came from a backup; without its removal the garbage collector would delete what must be retained.
func (j *judge) releases(by *pass, before, after *corev1.Secret) {
	given := before.DeepCopy()
	given.ResourceVersion = after.ResourceVersion
	given.OwnerReferences = slices.DeleteFunc(given.OwnerReferences, func(ref metav1.OwnerReference) bool {
		return ref.Kind == "CDPCredential" && ref.Name == by.name.Name
	})
	if !equality.Semantic.DeepEqual(given, after) {
		j.w.violated("foreign", "%s did more to Secret %s than release it", by.name.Name, before.Name)
	}
}

// kept requires that nothing foreign was changed.
func (j *judge) kept(name types.NamespacedName, before, after *corev1.Secret) {
	if before == nil {
		return
	}
	lost := func(what, key string) {
		j.w.violated("foreign", "%s %s of Secret %s was changed", what, key, name.Name)
	}
	for key, value := range before.Data {
		if strings.HasPrefix(key, "foreign") && !bytes.Equal(value, after.Data[key]) {
			lost("key", key)
		}
	}
	for key, value := range before.Annotations {
		if strings.HasPrefix(key, "foreign") && value != after.Annotations[key] {
			lost("annotation", key)
		}
	}
	for key, value := range before.Labels {
		if strings.HasPrefix(key, "foreign") && value != after.Labels[key] {
			lost("label", key)
		}
	}
	for _, ref := range before.OwnerReferences {
		if ref.Kind != "CDPCredential" && !slices.ContainsFunc(after.OwnerReferences, func(r metav1.OwnerReference) bool { return r.UID == ref.UID }) {
			lost("owner", ref.Name)
		}
	}
}

// published judges the content of the target after a write.
func (j *judge) published(by *pass, before, after *corev1.Secret) {
	w := j.w
	half := func(format string, args ...any) {
		w.violated("half-written", "Secret %s of %s: %s", after.Name, by.name.Name, fmt.Sprintf(format, args...))
	}
	rec := j.write(by, after)
	if rec.Object != by.name.Name || owner(after) != by.name.Name {
		half("its owner annotation says %q, its state annotation %q", owner(after), rec.Object)
	}
	if by.object.Spec.Provider.Basic != nil {
		return
	}
	t := w.vendors.tokens[rec.token]
	if t == nil {
		half("no vendor issued its token")
	}
	if !strings.HasPrefix(t.client, by.name.Name+".") {
		half("its token was issued to %s", t.client)
	}
	if said := rec.ExpiresAt.Truncate(time.Second).UTC().Format(time.RFC3339); after.Annotations[v1alpha1.ExpiresAtAnnotation] != said {
		half("its expires-at annotation says %q, its state annotation %q", after.Annotations[v1alpha1.ExpiresAtAnnotation], said)
	}
	if rec.expires > t.expires+clockNoise {
		half("it shows the expiry %s, but the token expires at %s", rec.expires, t.expires)
	}
	clientID := t.client
	if by.object.Spec.Provider.Algonomy != nil {
		clientID = "" // it has none
	}
	for key, template := range by.object.Spec.Target.Data {
		want := rendered[template](rec.token, after.Annotations[v1alpha1.ExpiresAtAnnotation], clientID)
		if got := string(after.Data[key]); got != want {
			half("key %s is %q, want %q", key, got, want)
		}
	}
	if t.expires+clockNoise <= by.sent {
		w.violated("expired", "Secret %s got the expired %s at %s", after.Name, t.name(), by.sent)
	}
	if was := j.record(before); was != nil && was.token == rec.token && was.IssuedAt.Equal(rec.IssuedAt) {
		return
	}
	if a := by.answer; a == nil || a.token != t {
		if t.first != nil && !t.first.published && t.first.pass.replica == by.replica {
			a, by.publishesSpare = t.first, true // its first write failed
		}
		if a == nil {
			return // moved or restored from another Secret
		}
		j.issued(by, a, t, before, rec)
		return
	}
	j.issued(by, by.answer, t, before, rec)
}

// clockNoise is how wrong the shown expiry may be: section 4 of the contract.
const clockNoise = 2 * time.Second

// issued judges a token that is published for the first time.
func (j *judge) issued(by *pass, a *answer, t *token, before *corev1.Secret, rec *written) {
	w := j.w
	a.published = true
	if a.ask.update != "" {
		return
	}
	j.stats.published++
	f := j.file(by.object.UID)
	f.failed, f.failures, f.pending = nil, 0, false
	day := f.dayOf(a.pass.replica.ranTo(a.received))
	f.perDay[day]++
	if by.replica.deposed && rec.Issuance != nil { // it has overwritten the leader's count
		f.perDay[day] = min(f.perDay[day], int(rec.Issuance.Count))
	}
	if last := f.publisher; last != nil && last != by.replica && last.dead && j.record(before) == nil && j.untold(by, day, rec) {
		f.perDay[day] = min(f.perDay[day], int(rec.Issuance.Count)) // it died before status had the count, then a user removed the annotation
	}
	f.publisher = by.replica
	w.tell("published token %d of the day for %s; the state annotation counts %v", f.perDay[day], by.name.Name, rec.Issuance)
	target := types.NamespacedName{Namespace: by.name.Namespace, Name: by.object.Spec.Target.Name}
	j.watch(hold{uid: by.object.UID, object: by.name, secret: target, token: t, came: a}, by.object)
}

// dayOf returns the day to which a token counts. A leader whose clock is ahead may have begun the next day already, and no day gets two budgets.
func (f *file) dayOf(t time.Time) string {
	if tomorrow := t.UTC().AddDate(0, 0, 1).Format(time.DateOnly); f.perDay[tomorrow] > 0 {
		return tomorrow
	}
	return t.UTC().Format(time.DateOnly)
}

// untold reports whether a state annotation continues the count of status, because nothing else has a count.
func (j *judge) untold(by *pass, day string, rec *written) bool {
	obj, told := j.w.api.credentials[by.name], int32(0)
	if obj == nil || rec.Issuance == nil {
		return false
	}
	if s := obj.Status.Issuance; s != nil && s.Day == day {
		told = s.Count
	}
	return rec.Issuance.Day == day && rec.Issuance.Count == told+1
}

// statusChanged records what status knows.
func (j *judge) statusChanged(by *pass, before, after *v1alpha1.CDPCredential) {
	w := j.w
	if j.off {
		return
	}
	if w.story != nil {
		w.tell("status of %s: %s", after.Name, shortStatus(&after.Status))
	}
	by.before = before
	isReady := func(obj *v1alpha1.CDPCredential) bool {
		return meta.IsStatusConditionTrue(obj.Status.Conditions, v1alpha1.ConditionReady)
	}
	by.expired = isReady(before) && !isReady(after) || before.Status.TokenExpirationTime != nil && after.Status.TokenExpirationTime == nil
	if f := j.file(by.object.UID); by.replica.deposed {
		f.failed, f.failures = nil, 0 // the leader's count is overwritten
		if after.Status.LastHandledRefreshRequest != before.Status.LastHandledRefreshRequest {
			f.handled = after.Status.LastHandledRefreshRequest // and so is what it has handled
		}
		return
	}
	if by.answer != nil && by.answer.failure != none && by.answer.received != 0 {
		j.remember(by)
	}
	if a := by.answer; a != nil && a.failure == none && a.again() && a.token.expires > a.received {
		f := j.file(by.object.UID)
		f.failed, f.failures = nil, 0 // the current token is as good an answer as a new one, though nothing is published
	}
	if f := j.file(by.object.UID); f.failed != nil && f.failed.pass.replica == by.replica {
		f.failed.saved = true // what an earlier reconcile could not write is written with this one
	}
}

func shortStatus(s *v1alpha1.CDPCredentialStatus) string {
	text := fmt.Sprintf("failures %d, handled %q, pending %v", s.Failures, s.LastHandledRefreshRequest, s.RefreshPending)
	if s.NextRefreshTime != nil {
		text += ", next " + s.NextRefreshTime.UTC().Format(time.TimeOnly)
	}
	if s.LastAttempt != nil {
		text += fmt.Sprintf(", attempt %v", *s.LastAttempt)
	}
	for _, c := range s.Conditions {
		text += fmt.Sprintf(", %s=%s %s", c.Type, c.Status, c.Reason)
	}
	return text
}

// remember counts a failed attempt of which the operator can know.
func (j *judge) remember(by *pass) {
	f := j.file(by.object.UID)
	if by.answer.ask.update != "" && by.answer.failure == rejected || by.answer.doubtful {
		return
	}
	if f.failed != nil && f.failed.answer == by.answer {
		return
	}
	if f.failed == nil || f.failed.failure != by.answer.failure || j.userChanged(f.failed.history, by.object) {
		f.failures = 0
	}
	f.failures++
	f.failed = &failedAttempt{answer: by.answer, history: by.history, object: by.object}
}
