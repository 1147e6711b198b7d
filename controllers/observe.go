package controllers

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// observe gathers a view from the cache. It asks the API server only where the cache cannot know: what is in a Secret of which neither
// status nor this process knows the version. The client Secret is observed by observeClient.
func (r *CDPCredentialReconciler) observe(ctx context.Context, obj *v1alpha1.CDPCredential, mem *remembered, observeClient func(context.Context, *view) error) (*view, error) {
	v := r.viewOf(obj, mem)
	obj = v.obj
	var err error
	if err = observeClient(ctx, v); err != nil {
		return nil, err
	}
	if v.target, err = r.observeTarget(ctx, obj, mem, obj.Spec.Target.Name); err != nil {
		return nil, err
	}
	v.held = v.target
	if old := obj.Status.TargetName; old != "" && old != v.target.name {
		before, err := r.observeTarget(ctx, obj, mem, old)
		if err != nil {
			return nil, err
		}
		newer := !v.target.has() || before.rec != nil && before.rec.IssuedAt.After(v.target.rec.IssuedAt)
		if newer && before.holds(v.now) && before.owner() == obj.Name {
			v.held = before
		}
	}
	r.adoptStatus(v)
	v.repeated = repeatedBefore(v)
	if rec := v.held.rec; rec != nil {
		v.rejected = obj.Spec.Verify != nil && (mem.rejected == rec.Token || rejectedBefore(v))
		v.updateRefused = mem.updateRefused == rec.Token
	}
	r.recallIssued(v, mem)
	if err := r.compareClient(ctx, v, mem); err != nil {
		return nil, err
	}
	confirmRepair(v, mem)
	return v, nil
}

// viewOf is a view of the object alone. What happened has happened, though it could not be written.
func (r *CDPCredentialReconciler) viewOf(obj *v1alpha1.CDPCredential, mem *remembered) *view {
	own := *obj
	v := &view{now: r.Clock.Now(), ahead: r.ahead(), obj: &own, saved: obj.Status, allowed: r.AllowedHosts, only: r.TokenHostsOnly, allowedMetadata: r.AllowedMetadata}
	if mem.unsaved != nil {
		own.Status = *mem.unsaved.DeepCopy()
	}
	v.intent, v.intentErr = intentOf(&obj.Spec)
	return v
}

// rejectedBefore reports whether status knows that the API answered 401 to the held token: the exchange that this called for has failed.
func rejectedBefore(v *view) bool {
	last := v.obj.Status.LastAttempt
	return last != nil && last.TokenRejected && !newerThanStatus(v)
}

// recallIssued brings what this process remembers of the last token that it was given.
func (r *CDPCredentialReconciler) recallIssued(v *view, mem *remembered) {
	if p := mem.pending; p != nil && v.target.has() && !v.target.rec.IssuedAt.Before(p.rec.IssuedAt) {
		mem.confirmed = mem.confirmed || v.target.rec.IssuedAt.Equal(p.rec.IssuedAt)
		mem.pending = nil // it was written after all, or overtaken: the answer to the write was lost
	}
	v.repairs = mem.repairs
	v.inHand, v.issuance, v.issuedAt, v.throttled = mem.pending != nil, mem.issuance, mem.issuedAt, mem.throttled != nil
	v.newTokenAt = mem.issuedAt
	if mem.repeatedAt.After(v.issuedAt) {
		v.issuedAt = mem.repeatedAt
	}
}

// cachedClient finds the client Secret in the cache.
func (r *CDPCredentialReconciler) cachedClient(ctx context.Context, v *view) error {
	meta := secretMetadata(v.obj.Namespace, v.obj.Spec.ClientSecretRef.Name)
	if err := r.Client.Get(ctx, client.ObjectKeyFromObject(meta), meta); apierrors.IsNotFound(err) {
		return nil
	} else if err != nil {
		return fmt.Errorf("read the client Secret's metadata: %w", err)
	}
	v.client = clientViewOf(&meta.ObjectMeta)
	return nil
}

func (r *CDPCredentialReconciler) observeTarget(ctx context.Context, obj *v1alpha1.CDPCredential, mem *remembered, name string) (targetView, error) {
	meta := secretMetadata(obj.Namespace, name)
	err := r.Client.Get(ctx, client.ObjectKeyFromObject(meta), meta)
	if client.IgnoreNotFound(err) != nil {
		return targetView{}, fmt.Errorf("read the target Secret's metadata: %w", err)
	}
	found := err == nil
	t := targetView{name: name, found: found, version: versionOf(&meta.ObjectMeta), meta: meta.ObjectMeta}
	seen, known := mem.seen(name)
	if known && !found {
		if err := r.notEnding(ctx, obj); err != nil { // before thousands of Secrets are asked for that go with their namespace
			return t, err
		}
	}
	if known && lags(found, t.version, seen.version) {
		// The cache has not seen our own last write, or the Secret has just been deleted: only the API server knows which.
		return r.lookInto(ctx, obj, mem, name)
	}
	if !found || t.owner() != obj.Name {
		return t, nil
	}
	t.rec = r.parseRecord(t.meta.Annotations[v1alpha1.StateAnnotation], obj.Name)
	switch {
	case known && seen.version == t.version:
		t.content, t.unusable, t.foreign = seen.content, seen.unusable, seen.foreign
	case t.rec != nil && obj.Status.TargetName == name && obj.Status.TargetVersion == t.version:
		t.content = intact
		if t.rec.Shared {
			t.foreign = someForeign
		}
	default:
		return r.lookInto(ctx, obj, mem, name)
	}
	if other := controlled(&t.meta); other != "" {
		t.unusable = other
	}
	return t, nil
}

// lags says whether the cache shows a Secret as it was before the version that we know of.
func lags(found bool, cached, known string) bool {
	_, cachedVersion := splitVersion(cached)
	_, knownVersion := splitVersion(known)
	return !found || older(cachedVersion, knownVersion)
}

// lookInto reads a target Secret itself and remembers what it found.
func (r *CDPCredentialReconciler) lookInto(ctx context.Context, obj *v1alpha1.CDPCredential, mem *remembered, name string) (targetView, error) {
	t, err := r.readTarget(ctx, obj, name)
	if err != nil {
		return t, err
	}
	mem.uncertain = mem.uncertain && name != obj.Spec.Target.Name
	if !t.found {
		mem.forgetTarget(name)
	} else {
		mem.sawTarget(t.seen())
	}
	return t, nil
}

// readTarget asks the API server for a target Secret, past the cache, and judges what is in it.
func (r *CDPCredentialReconciler) readTarget(ctx context.Context, obj *v1alpha1.CDPCredential, name string) (targetView, error) {
	secret := &corev1.Secret{}
	if err := r.Live.Get(ctx, client.ObjectKey{Namespace: obj.Namespace, Name: name}, secret); apierrors.IsNotFound(err) {
		return targetView{name: name}, nil
	} else if err != nil {
		return targetView{}, &requestError{verb: "get", resource: "secrets", name: name, err: err}
	}
	t := targetView{name: name, found: true, version: versionOf(&secret.ObjectMeta), meta: secret.ObjectMeta, secret: secret}
	t.rec = r.parseRecord(secret.Annotations[v1alpha1.StateAnnotation], obj.Name)
	switch {
	case t.rec == nil || t.rec.tokenIn(secret.Data) == nil || t.rec.seal(t.rec.tokenIn(secret.Data)) != t.rec.Token:
		t.content = replaced
	case t.rec.sealData(secret.Data, t.rec.Keys) != t.rec.Data:
		t.content = edited
	}
	t.foreign = foreignKeys(secret.Data, t.rec)
	if t.unusable = unusable(secret); t.unusable == "" {
		t.unusable = controlled(&secret.ObjectMeta)
	}
	return t, nil
}

// compareClient says what has changed in what would be sent. The client Secret is read only if its version, or what is asked for, is
// another one than it was when the answer was last found.
func (r *CDPCredentialReconciler) compareClient(ctx context.Context, v *view, mem *remembered) error {
	if v.intentErr != nil || !v.client.found {
		return nil //nolint:nilerr // what is wrong with the object is the plan's to say
	}
	rec := v.held.rec
	last := v.obj.Status.LastAttempt
	if last != nil && last.Asked == v.intent.asked && lags(true, v.client.version, last.ClientSecretVersion) {
		// The cache is behind what the last attempt was made with: what it shows is no change.
		if err := r.readClient(ctx, v); err != nil || !v.client.found {
			return err
		}
	}
	recordStale := rec != nil && v.held.has() && (rec.Asked != v.intent.asked || rec.Client != v.client.version)
	if recordStale && askedDifference(rec, &v.intent) == different {
		// Whatever the values are: an exchange only where they differ would tell whether two Secrets hold the same.
		v.difference, recordStale = different, false
	}
	return r.compareValues(ctx, v, mem, recordStale)
}

// compareValues says what has changed in the values of the client Secret since the held token was issued, if withRecord is set, and since the last
// failed attempt.
func (r *CDPCredentialReconciler) compareValues(ctx context.Context, v *view, mem *remembered, withRecord bool) error {
	last := v.obj.Status.LastAttempt
	attemptStale := last != nil && last.Generation == v.obj.Generation && last.ClientSecretVersion != v.client.version && mem.client.attempt != ""
	if !withRecord && !attemptStale {
		return nil
	}
	seen := &mem.client
	if !seen.is(v, withRecord) {
		if err := r.readClient(ctx, v); err != nil || !v.client.found {
			return err
		}
		r.compare(v, seen, withRecord)
	}
	if withRecord {
		v.difference = seen.difference
	}
	v.attemptUnchanged = attemptStale && seen.request == seen.attempt
	return nil
}

// askedDifference is what spec.provider and spec.clientSecretRef ask for in comparison to what they did when the record was written.
func askedDifference(rec *record, in *intent) difference {
	switch {
	case rec.Asked == in.asked:
		return same
	case in.askedRest != "" && rec.AskedRest == in.askedRest:
		return resourcesOnly
	}
	return different
}

// is says whether what was seen last is of what there is now.
func (seen *seenClient) is(v *view, compared bool) bool {
	return seen.version == v.client.version && seen.asked == v.intent.asked && (!compared || seen.against == v.held.rec.Request)
}

// compare remembers what the client Secret, as it was just read, comes to.
func (r *CDPCredentialReconciler) compare(v *view, seen *seenClient, withRecord bool) {
	*seen = seenClient{version: v.client.version, asked: v.intent.asked, attempt: seen.attempt, difference: different}
	if withRecord {
		seen.against = v.held.rec.Request
	}
	req, err := v.intent.withClient(v.client.secret)
	if err != nil {
		return // a value is missing, which the attempt will report
	}
	seen.request = r.attemptFingerprint(v, req)
	if withRecord {
		seen.difference = compareRequests(v.held.rec, req)
	}
}

// readClient asks the API server for the client Secret, past the cache.
func (r *CDPCredentialReconciler) readClient(ctx context.Context, v *view) error {
	if v.client.secret != nil {
		return nil
	}
	secret := &corev1.Secret{}
	err := r.Live.Get(ctx, client.ObjectKey{Namespace: v.obj.Namespace, Name: v.obj.Spec.ClientSecretRef.Name}, secret)
	if apierrors.IsNotFound(err) {
		v.client = clientView{}
		return nil
	}
	if err != nil {
		return &requestError{verb: "get", resource: "secrets", name: v.obj.Spec.ClientSecretRef.Name, err: err}
	}
	v.client = clientViewOf(&secret.ObjectMeta)
	v.client.secret = secret
	return nil
}
