package exchange

import "context"

// apsis reads ID and Secret of the client. It takes JSON only. Its expires_in is deprecated: the exp of the token counts alone.
// https://developer.apsis.com/reference/post_oauth-token
func apsis(ctx context.Context, a attempt, req Request) (Token, error) {
	address, err := endpoint(req.URL, "/oauth/token")
	if err != nil {
		return Token{}, err
	}
	got, err := a.json(ctx, address, clientCredentials{
		GrantType:    "client_credentials",
		ClientID:     string(req.Client.ID),
		ClientSecret: string(req.Client.Secret),
	}, nil)
	if err != nil {
		return Token{}, err
	}
	read := rfc6749(req)
	read.claimsOnly = true
	return read.token(got)
}

// clientCredentials is RFC 6749 section 4.4.2 in JSON, as APSIS One and Auth0 take it.
type clientCredentials struct {
	GrantType    string `json:"grant_type"`
	ClientID     string `json:"client_id"`
	ClientSecret string `json:"client_secret"`
	Audience     string `json:"audience,omitempty"`
}
