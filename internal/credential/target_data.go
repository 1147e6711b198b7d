// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"maps"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/render"
)

// TargetData is the target's data: the token, the headers that go with it, and the user's templates.
func TargetData(obj *v1alpha1.CDPCredential, p *Publication) (map[string][]byte, error) {
	headers := p.Request.APIHeaders(p.Token.Value, p.Token.Type)
	data := map[string][]byte{}
	values := render.Values{
		Token: string(p.Token.Value), TokenType: p.Token.Type, ClientID: string(p.Request.ClientID()), Scopes: p.Persisted.Granted, Headers: headers,
	}
	if values.Scopes == nil {
		values.Scopes = p.Request.Flow.Scopes()
	}
	if !p.Persisted.ExpiresAt.IsZero() {
		values.ExpiresAt = expiryText(p.Persisted.LocalExpiry())
	}
	carrier := p.Request.Flow.CarrierHeader()
	if static := p.Request.Flow.Static; static != nil {
		data["username"] = []byte(p.Request.Values[static.Username])
		data["password"] = []byte(p.Request.Values[static.Password])
		data["authorization"] = []byte(headers[carrier])
	} else {
		data["token"] = []byte(p.Token.Value)
		for name, value := range headers {
			if name != carrier {
				data[name] = []byte(value)
			}
		}
	}
	templates, err := render.Compile(textMap(obj.Spec.Target.Data))
	if err != nil {
		return nil, err
	}
	rendered, err := templates.Render(values)
	if err != nil {
		return nil, err
	}
	maps.Copy(data, rendered)
	return data, nil
}
