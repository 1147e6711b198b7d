package exchange

import "context"

// auth0 reads ID and Secret of the client. Auth0 takes JSON and form alike; JSON is what the documentation of the APIs behind it shows.
// https://auth0.com/docs/get-started/authentication-and-authorization-flow/client-credentials-flow
func auth0(ctx context.Context, a attempt, req Request) (Token, error) {
	address, err := endpoint(req.URL, "/oauth/token")
	if err != nil {
		return Token{}, err
	}
	got, err := a.json(ctx, address, clientCredentials{
		GrantType:    "client_credentials",
		ClientID:     string(req.Client.ID),
		ClientSecret: string(req.Client.Secret),
		Audience:     req.Audience,
	}, nil)
	if err != nil {
		return Token{}, err
	}
	return rfc6749(req).token(got)
}
