package controllers

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/egress"
	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange"
)

// An outcome is what became of a step.
type outcome struct {
	failure *failure
	// waiting says that the action has to wait for its turn: nothing is reported of that.
	waiting bool
	// at is when to come back for it.
	at time.Time
	// wrote says that the target was written: the view has it as it is now.
	wrote bool
	// issued says that a token was issued and published.
	issued bool
	// skew is the endpoint's, known if issued.
	skew time.Duration
	// warnings are to be given with it.
	warnings []warning
	// margin is what the token before had left, and lateness how long after its time it was renewed. Negative: not known.
	margin, lateness time.Duration
}

// act does what was planned. An error is the API server's and makes the pass be tried again.
func (r *CDPCredentialReconciler) act(ctx context.Context, v *view, mem *remembered, s step) (outcome, error) {
	switch s.action {
	case issue, update:
		return r.issue(ctx, v, mem, s)
	case rewrite:
		out, err := r.rewrite(ctx, v, mem)
		if out.failure == nil {
			out.failure = s.failure
		}
		out.at = s.at
		return out, err
	}
	if !mem.dueSince.IsZero() {
		mem.dueSince = time.Time{}
		r.Gate.Forget(objectName(v.obj))
	}
	return outcome{failure: s.failure, at: s.at, waiting: s.failure == nil && !s.keep && !s.at.IsZero()}, nil
}

// issue gets a token and publishes it.
func (r *CDPCredentialReconciler) issue(ctx context.Context, v *view, mem *remembered, s step) (outcome, error) {
	if mem.terminating {
		return outcome{waiting: true}, nil
	}
	if mem.dueSince.IsZero() {
		mem.dueSince = v.now
	}
	p, out, err := r.obtain(ctx, v, mem, s)
	if p == nil || err != nil {
		return out, err
	}
	old := v.held.rec
	due := time.Time{}
	if old != nil && s.cause == causeRenewal {
		due = renewAt(v)
	}
	out, err = r.publish(ctx, v, mem, p)
	if out.wrote && v.intent.provider != "basic" && s.action == issue {
		out.issued, out.margin, out.lateness = true, -1, -1
		if old != nil && !old.ExpiresAt.IsZero() {
			out.margin = max(old.ExpiresAt.Sub(r.Clock.Now()), 0)
		}
		if !due.IsZero() {
			out.lateness = max(p.rec.IssuedAt.Sub(due), 0)
		}
		out.skew = p.token.Life.Skew
		out.warnings = freshWarnings(v, old, p)
	}
	return out, err
}

// obtain gives the token that is to be published: one that waits for it already, or a new one. Nil without an error: the outcome says why.
func (r *CDPCredentialReconciler) obtain(ctx context.Context, v *view, mem *remembered, s step) (*publication, outcome, error) {
	if p := mem.pending; p != nil {
		req, f, err := r.request(ctx, v)
		if f != nil || err != nil {
			return nil, r.attempted(v, mem, f), err
		}
		if p.req.Fingerprint(r.salt[:]) == req.Fingerprint(r.salt[:]) && !p.rec.expired(v.now) {
			return p, outcome{}, nil
		}
		mem.pending = nil
	}
	permit, wait := r.admit(v, mem, s)
	if wait > 0 {
		return nil, outcome{waiting: true, at: v.now.Add(wait)}, nil
	}
	learned := egress.Result{Kind: egress.Cancelled}
	defer func() { permit.Done(r.Clock.Now(), learned) }()

	req, f, err := r.request(ctx, v)
	if f != nil || err != nil {
		return nil, r.attempted(v, mem, f), err
	}
	if s.action == update {
		held, there := r.heldValue(ctx, v)
		if !there {
			return nil, outcome{}, fmt.Errorf("read the held token: it is gone")
		}
		req.Update = held
	}
	transport, err := r.Transports.For(caBundle(v.obj))
	if err != nil {
		return nil, r.attempted(v, mem, failureOf(v, err, 0)), nil
	}
	began := r.Clock.Now()
	got, err := r.Exchanger.Exchange(ctx, transport, req)
	r.Metrics.exchanged(v.intent.provider, r.Clock.Now().Sub(began), err)
	learned = resultOf(err)
	if s.action == update && rejects(err) {
		// The vendor does not change this token any more: a new one will do.
		req.Update = ""
		s.action = issue
		began = r.Clock.Now()
		got, err = r.Exchanger.Exchange(ctx, transport, req)
		r.Metrics.exchanged(v.intent.provider, r.Clock.Now().Sub(began), err)
		learned = resultOf(err)
	}
	v.now = r.Clock.Now() // what is waited out is counted from now, and not from before a time-out
	if err == nil && !got.Life.ExpiresAt.IsZero() && !v.now.Before(got.Life.ExpiresAt) {
		err = &exchange.Error{Kind: exchange.Malformed, Detail: "the token had expired before the answer was complete"}
	}
	if err != nil {
		f := failureOf(v, err, r.Chance())
		if f == nil {
			return nil, outcome{}, err
		}
		return nil, r.attempted(v, mem, f), nil
	}
	p, err := r.publicationOf(v, s, req, got)
	if err != nil {
		return nil, outcome{}, err
	}
	mem.pending = p
	return p, outcome{}, nil
}

// attempted remembers what a failed attempt was made with, so that a change of mere metadata is not taken for a reason to try again.
func (r *CDPCredentialReconciler) attempted(v *view, mem *remembered, f *failure) outcome {
	if f != nil && f.attempted {
		mem.dueSince = time.Time{}
		mem.client.version, mem.client.asked, mem.client.against, mem.client.request = v.client.version, v.intent.asked, "", ""
		if v.client.secret != nil {
			if req, err := v.intent.withClient(v.client.secret); err == nil {
				mem.client.request = req.Fingerprint(r.salt[:])
			}
		}
		mem.client.attempt = mem.client.request
	}
	return outcome{failure: f}
}

// request reads the client Secret and makes the request of it. What cannot be sent is a failure.
func (r *CDPCredentialReconciler) request(ctx context.Context, v *view) (exchange.Request, *failure, error) {
	if err := r.readClient(ctx, v); err != nil {
		return exchange.Request{}, nil, err
	}
	if f := obstacle(v, nothing); f != nil { // the cache may have been behind
		return exchange.Request{}, f, nil
	}
	req, err := v.intent.withClient(v.client.secret)
	if err == nil {
		err = req.Check()
	}
	if err != nil {
		return exchange.Request{}, failureOf(v, err, 0), nil
	}
	return req, nil, nil
}

// publicationOf makes the record of a new token, or the changed one of an updated token.
func (r *CDPCredentialReconciler) publicationOf(v *view, s step, req exchange.Request, got exchange.Token) (*publication, error) {
	rec := record{}
	if s.action == update {
		rec = *v.held.rec
		got.Life = rec.life()
		got.Type = rec.TokenType
	} else {
		rec.Cause = s.cause
		rec.Salt = make([]byte, 16)
		if _, err := r.Rand.Read(rec.Salt); err != nil {
			return nil, fmt.Errorf("make a salt: %w", err)
		}
		rec.IssuedAt, rec.ExpiresAt = got.Life.IssuedAt.UTC(), got.Life.ExpiresAt.UTC()
		rec.TokenType, rec.Granted = got.Type, boundedScopes(got.Granted)
		count := issuance(v)
		count.Count++
		rec.Issuance = &count
		if v.held.rec != nil {
			rec.Warned = v.held.rec.Warned
		}
	}
	if v.intent.provider == "basic" {
		rec.IssuedAt, rec.ExpiresAt, rec.Issuance = time.Time{}, time.Time{}, nil
	}
	req.Update = ""
	rec.Handled = refreshRequest(v.obj)
	rec.Asked, rec.Client = v.intent.asked, v.client.version
	rec.Request, rec.Rest = req.Fingerprint(rec.Salt), ""
	if req.Provider == exchange.Algonomy {
		rec.Rest = req.WithoutResources().Fingerprint(rec.Salt)
	}
	p := &publication{token: got, req: req, rec: rec}
	p.rec.Warned = warned(v, p)
	return p, nil
}

// compareRequests says in what a request differs from the one that a record is of.
func compareRequests(rec *record, req exchange.Request) difference {
	switch {
	case req.Fingerprint(rec.Salt) == rec.Request:
		return same
	case rec.Rest != "" && req.Provider == exchange.Algonomy && req.WithoutResources().Fingerprint(rec.Salt) == rec.Rest:
		return resourcesOnly
	}
	return different
}

// rewrite publishes the held token again: in the shape that is wanted now, or under the target's new name.
func (r *CDPCredentialReconciler) rewrite(ctx context.Context, v *view, mem *remembered) (outcome, error) {
	req, f, err := r.request(ctx, v)
	if f != nil || err != nil {
		return outcome{failure: f}, err
	}
	value, there := r.heldValue(ctx, v)
	if !there {
		delete(mem.targets, v.held.name) // it changed under our hands: the next pass looks again
		return outcome{}, fmt.Errorf("read the held token: the Secret has changed")
	}
	rec := *v.held.rec
	rec.Asked, rec.Client = v.intent.asked, v.client.version
	return r.publish(ctx, v, mem, &publication{
		token: exchange.Token{Value: value, Type: rec.TokenType, Granted: rec.Granted, Life: rec.life()}, req: req, rec: rec,
	})
}

// heldValue reads the held token, if it is still the one of the record.
func (r *CDPCredentialReconciler) heldValue(ctx context.Context, v *view) (exchange.Secret, bool) {
	if v.held.secret == nil {
		held, err := r.readTarget(ctx, v.obj, v.held.name)
		if err != nil || !held.has() || held.owner() != v.obj.Name {
			return "", false
		}
		moving := v.moving()
		v.held = held
		if !moving {
			v.target = held
		}
	}
	return exchange.Secret(tokenKey(v.held.secret.Data)), true
}

// publish writes the target and brings the view up to date with it.
func (r *CDPCredentialReconciler) publish(ctx context.Context, v *view, mem *remembered, p *publication) (outcome, error) {
	version, err := r.write(ctx, v, p)
	if foreign, ok := errors.AsType[*notOurs](err); ok {
		v.target = foreign.target
		return outcome{failure: obstacle(v, nothing)}, nil
	}
	switch {
	case errors.Is(err, errNamespaceTerminating):
		mem.terminating, mem.pending = true, nil
		return outcome{waiting: true}, nil
	case apierrors.IsInvalid(err) || apierrors.IsForbidden(err) || apierrors.IsRequestEntityTooLargeError(err) || apierrors.IsBadRequest(err):
		f := &failure{reason: v1alpha1.ReasonTargetUnusable, stalled: true, attempted: true}
		f.message = fmt.Sprintf("the API server refused to write Secret %s: ask whoever runs the cluster for its admission policies and the operator's rights", v.target.name)
		f.retryAt = slowRetry(v, f.reason)
		return outcome{failure: f}, nil
	case err != nil:
		return outcome{}, err
	}
	mem.pending, mem.dueSince = nil, time.Time{}
	mem.sawTarget(v.target.name, seenTarget{version: version})
	want := wantedMetadata(v.obj, p.rec.ExpiresAt)
	v.target = targetView{name: v.target.name, found: true, version: version, rec: &p.rec, content: intact}
	v.target.meta.Labels, v.target.meta.Annotations, v.target.meta.OwnerReferences = want.labels, want.annotations, want.owners(nil)
	v.held = v.target
	return outcome{wrote: true}, nil
}

// freshWarnings are those that the record before did not have.
func freshWarnings(v *view, old *record, p *publication) []warning {
	var fresh []warning
	for _, w := range warningsOf(v, p) {
		if old == nil || !slices.Contains(old.Warned, w.once) {
			fresh = append(fresh, w)
		}
	}
	return fresh
}

func warned(v *view, p *publication) []string {
	var reasons []string
	for _, w := range warningsOf(v, p) {
		reasons = append(reasons, w.once)
	}
	return reasons
}

// boundedScopes keeps what an endpoint says within what status should hold.
func boundedScopes(granted []string) []string {
	var kept []string
	for _, scope := range granted[:min(len(granted), 100)] {
		if clean := strings.Map(scopeCharacter, scope); clean == scope && len(scope) <= 256 {
			kept = append(kept, scope)
		}
	}
	return kept
}

// scopeCharacter drops what RFC 6749 section 3.3 does not allow.
func scopeCharacter(c rune) rune {
	if c == '"' || c == '\\' || c <= ' ' || c > '~' {
		return -1
	}
	return c
}

func caBundle(obj *v1alpha1.CDPCredential) []byte {
	if obj.Spec.TLS == nil {
		return nil
	}
	return obj.Spec.TLS.CABundle
}

func rejects(err error) bool {
	e, ok := errors.AsType[*exchange.Error](err)
	return ok && (e.Kind == exchange.Rejected || e.Kind == exchange.Malformed)
}

// resultOf is what an exchange says about its endpoint: a refusal, too, shows that it is alive.
func resultOf(err error) egress.Result {
	if err == nil {
		return egress.Result{Kind: egress.OK}
	}
	e, ok := errors.AsType[*exchange.Error](err)
	if !ok {
		return egress.Result{Kind: egress.Cancelled}
	}
	result := egress.Result{RetryAfter: e.RetryAfter, HasRetryAfter: e.HasRetryAfter}
	switch {
	case e.Kind == exchange.Throttled:
		result.Kind = egress.Throttled
	case e.Kind == exchange.Unavailable && (e.Status == 0 || e.Status >= 500):
		result.Kind = egress.Unavailable
	default:
		result.Kind = egress.OK
	}
	return result
}

// admit asks the endpoint's gate. A wait above zero means to come back after it.
func (r *CDPCredentialReconciler) admit(v *view, mem *remembered, s step) (*egress.Permit, time.Duration) {
	if v.intent.provider == "basic" {
		return nil, 0 // nobody is called
	}
	ask := egress.Ask{Endpoint: v.intent.endpoint.String(), Namespace: v.obj.Namespace, Object: objectName(v.obj), Since: mem.dueSince}
	if v.held.holds(v.now) && s.cause != causeReplaced {
		ask.Expires = v.held.rec.ExpiresAt
	}
	permit, wait := r.Gate.Admit(v.now, ask)
	if wait != nil {
		r.Metrics.blocked(wait.Reason)
		return nil, wait.For
	}
	return permit, 0
}

func objectName(obj *v1alpha1.CDPCredential) string { return obj.Namespace + "/" + obj.Name }
