package exchange

import (
	"context"
	"strings"

	xoauth2 "golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
)

// adobeServerToServer reads ID and Secret of the client. IMS joins scopes by commas, and its tokens say when they expire in two claims
// of its own. The lifetime in the answer is in seconds.
// https://developer.adobe.com/developer-console/docs/guides/authentication/ServerToServerAuthentication/ims
func adobeServerToServer(ctx context.Context, a attempt, req Request) (Token, error) {
	address, err := endpoint(req.URL, "/ims/token/v3")
	if err != nil {
		return Token{}, err
	}
	conf := clientcredentials.Config{
		ClientID:     string(req.Client.ID),
		ClientSecret: string(req.Client.Secret),
		TokenURL:     address,
		AuthStyle:    xoauth2.AuthStyleInParams,
	}
	if len(req.Scopes) > 0 {
		conf.Scopes = []string{strings.Join(req.Scopes, ",")}
	}
	got, err := a.form(ctx, conf, nil)
	if err != nil {
		return Token{}, err
	}
	read := rfc6749(req)
	read.scopeSeparators = ", "
	return read.token(got)
}
