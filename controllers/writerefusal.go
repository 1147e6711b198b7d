package controllers

import (
	"context"
	"errors"
	"time"

	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/cdpcredentials/cdp-credential-operator/internal/credential"
	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange"
	"github.com/cdpcredentials/cdp-credential-operator/internal/token"
)

// unwritten says what comes of a write that failed.
func (r *CDPCredentialReconciler) unwritten(ctx context.Context, s *credential.State, mem *remembered, err error) (credential.Result, error) {
	if foreign, ok := errors.AsType[*notOursError](err); ok {
		s.Target = foreign.target
		return credential.Result{Failure: credential.FindBlocker(s, credential.ActionNone)}, nil
	}
	switch {
	case errors.Is(err, errSuperseded):
		mem.pending = nil
		return credential.Result{}, err
	case errors.Is(err, errNamespaceTerminating):
		mem.terminating, mem.pending = true, nil
		return credential.Result{Waiting: true}, nil
	}
	refusal, ok := credential.WriteRefusalOf(err)
	if !ok {
		return credential.Result{}, err
	}
	ctrl.LoggerFrom(ctx).Info("The API server refused to have the target Secret written", "secret", s.Target.Name, "answer", refusal.Answer, "by", refusal.By)
	return credential.Result{Failure: refusal.Failure(s)}, nil
}

// placeholder is written in a rehearsal in place of a token.
const placeholder = "placeholder-for-a-token"

// rehearse has the API server try the write of the target without doing it: after a refusal no token is asked for that could not be written either. It
// gives what is in the way.
func (r *CDPCredentialReconciler) rehearse(ctx context.Context, s *credential.State, mem *remembered, plan credential.Plan, req exchange.Request) (credential.Result, error) {
	if s.Object.Status.WriteRefusals == 0 || !s.Desired.Flow.Exchanges() {
		return credential.Result{}, nil
	}
	life := token.Life{IssuedAt: s.Now, ExpiresAt: s.Now.Add(time.Hour)}
	salt, err := r.random(16)
	if err != nil {
		return credential.Result{}, err
	}
	p := credential.NewPublication(s, credential.Plan{Action: credential.ActionIssue, Cause: plan.Cause}, req, exchange.Token{Value: placeholder, Type: "Bearer", Life: life}, salt)
	p.DryRun = true
	if _, err = r.write(ctx, s, mem, p); err == nil {
		return credential.Result{}, nil
	}
	return r.unwritten(ctx, s, mem, err)
}
