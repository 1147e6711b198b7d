package exchange

import (
	"cmp"
	"context"
	"net/http"
	"time"
)

// algonomyLifetime is how long a token lives for which no validity was asked.
const algonomyLifetime = 15 * time.Minute

// algonomy reads TenantHash and OAuthKeySecret of the client; the latter is empty where the tenant has no OAuth. The answer is the token
// alone: it lives as long as was asked for. An update changes the resources of a held token, whose lifetime stays as it is, so that
// Life is zero then; whatever refuses an update is Rejected, and a new token will do.
func algonomy(ctx context.Context, a attempt, req Request) (Token, error) {
	api := map[string]string{"Profile": "profile", "GDPR": "gdpr"}[req.API]
	if api == "" {
		return Token{}, &Error{Kind: Unsupported, Detail: "this version does not serve the API"}
	}
	// Names with an underscore are set past Header.Set, which would change their case.
	headers := http.Header{"tenant_hash": {string(req.Client.TenantHash)}}
	if req.Client.OAuthKeySecret != "" {
		headers["oauth_key_secret"] = []string{string(req.Client.OAuthKeySecret)}
	}
	if req.Update != "" {
		return algonomyUpdate(ctx, a, req, api, headers)
	}
	address, err := endpoint(req.URL, "/secureApi/token/"+api+"/create")
	if err != nil {
		return Token{}, err
	}
	minutes := int64(req.Validity / time.Minute)
	got, err := a.json(ctx, address, algonomyCreate{list(req.Resources), minutes}, headers)
	if err != nil {
		return Token{}, err
	}
	asked := cmp.Or(time.Duration(minutes)*time.Minute, algonomyLifetime)
	return reading{tokenField: "token", asked: asked}.token(got)
}

func algonomyUpdate(ctx context.Context, a attempt, req Request, api string, headers http.Header) (Token, error) {
	address, err := endpoint(req.URL, "/secureApi/token/"+api+"/update")
	if err != nil {
		return Token{}, err
	}
	got, err := a.json(ctx, address, algonomyChange{list(req.Resources), string(req.Update)}, headers)
	if err != nil {
		return Token{}, err
	}
	if got.status >= 400 && got.status <= 499 && got.status != http.StatusTooManyRequests {
		return Token{}, got.failure(Rejected, "the endpoint refused to update the held token")
	}
	updated, err := reading{tokenField: "token", asked: algonomyLifetime}.token(got)
	if err != nil {
		return Token{}, err
	}
	if updated.Value != req.Update {
		return Token{}, got.failure(Rejected, "the endpoint did not update the held token but gave another one")
	}
	return Token{Value: updated.Value, Type: updated.Type}, nil
}

type algonomyCreate struct {
	Resource []string `json:"resource"`
	// Validity is in minutes.
	Validity int64 `json:"validity,omitempty"`
}

type algonomyChange struct {
	Resource []string `json:"resource"`
	Token    string   `json:"token"`
}

// list is never null in JSON.
func list(values []string) []string { return append([]string{}, values...) }
