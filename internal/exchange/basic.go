package exchange

import "context"

// basic reads TokenID and TokenSecret of the client. Nothing is exchanged: the token is the two of them as HTTP Basic credentials, and
// never expires.
func basic(_ context.Context, _ attempt, req Request) (Token, error) {
	return Token{Value: Secret(basicCredentials(req.Client.TokenID, req.Client.TokenSecret)), Type: "Basic"}, nil
}
