package exchange

import (
	"context"
	"errors"
	"net/url"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/cdpcredentials/cdp-credential-operator/internal/token"
)

// adobeServiceAccount reads ID, Secret, PrivateKey, Passphrase and KeyID of the client. Adobe has deprecated it in favour of
// server-to-server. Its lifetime is in milliseconds. Adobe's tutorial posts multipart, its reference and its Go client a form: IMS
// takes both.
// https://developer.adobe.com/developer-console/docs/guides/authentication/JWT
func adobeServiceAccount(ctx context.Context, a attempt, req Request) (Token, error) {
	address, err := endpoint(req.URL, "/ims/exchange/jwt")
	if err != nil {
		return Token{}, err
	}
	assertion, err := a.serviceAccountAssertion(ctx, req)
	if err != nil {
		return Token{}, err
	}
	a.secrets = a.secrets.and(assertion)
	got, err := a.postForm(ctx, address, url.Values{
		"client_id":     {string(req.Client.ID)},
		"client_secret": {string(req.Client.Secret)},
		"jwt_token":     {assertion},
	})
	if err != nil {
		return Token{}, err
	}
	read := rfc6749(req)
	read.unit = token.Milliseconds
	read.scopeSeparators = ", "
	issued, err := read.token(got)
	if refused, ok := errors.AsType[*Error](err); ok && refused.Status == 500 && refused.Code == "internal_error" {
		// https://github.com/AdobeDocs/adobe-dev-console/issues/124: permanent, though it looks as if it would pass.
		refused.Detail = "the endpoint failed, as it does for a credential that Adobe has moved to OAuth server-to-server"
	}
	return issued, err
}

// serviceAccountAssertion says who asks for what. IMS wants the host in aud and in the metascopes to be the one that is asked.
func (a attempt) serviceAccountAssertion(ctx context.Context, req Request) (string, error) {
	ims, err := url.Parse(req.URL)
	if err != nil {
		return "", unusableURL()
	}
	key, err := a.keys.open(ctx, req.Namespace, req.Client)
	if err != nil {
		return "", err
	}
	if err := key.mustBeRSA(); err != nil {
		return "", err
	}
	now := a.now().Add(req.ClockOffset)
	claims := jwt.MapClaims{
		"iss": req.OrganizationID,
		"sub": req.TechnicalAccountID,
		"aud": "https://" + ims.Host + "/c/" + string(req.Client.ID),
		"iat": now.Add(-backdated).Unix(),
		"exp": now.Add(5 * time.Minute).Unix(),
	}
	for _, metascope := range req.Metascopes {
		claims["https://"+ims.Host+"/s/"+metascope] = true
	}
	return a.sign(key, req.Client.KeyID, claims)
}
