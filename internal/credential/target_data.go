// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"maps"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/render"
)

// TargetData returns the target's data: the token, the headers that go with it, and what the user's templates make of them. A template may replace a
// default key.
func TargetData(obj *v1alpha1.CDPCredential, p *Publication) (map[string][]byte, error) {
	headers := p.Request.APIHeaders(p.Token.Value, p.Token.Type)
	templates, err := render.Compile(textMap(obj.Spec.Target.Data))
	if err != nil {
		return nil, err
	}
	rendered, err := templates.Render(templateValues(p, headers))
	if err != nil {
		return nil, err
	}
	data := defaultData(p, headers)
	maps.Copy(data, rendered)
	return data, nil
}

// defaultData has the token, or the user name and password, and the headers.
func defaultData(p *Publication, headers map[string]string) map[string][]byte {
	carrier := p.Request.Flow.CarrierHeader()
	if static := p.Request.Flow.Static; static != nil {
		return map[string][]byte{
			"username":      []byte(p.Request.Values[static.Username]),
			"password":      []byte(p.Request.Values[static.Password]),
			"authorization": []byte(headers[carrier]),
		}
	}
	data := map[string][]byte{"token": []byte(p.Token.Value)}
	for name, value := range headers {
		if name != carrier { // which would repeat the token
			data[name] = []byte(value)
		}
	}
	return data
}

func templateValues(p *Publication, headers map[string]string) render.Values {
	values := render.Values{
		Token: string(p.Token.Value), TokenType: p.Token.Type, ClientID: string(p.Request.ClientID()), Scopes: p.Persisted.Granted, Headers: headers,
	}
	if values.Scopes == nil {
		values.Scopes = p.Request.Flow.Scopes()
	}
	if !p.Persisted.ExpiresAt.IsZero() {
		values.ExpiresAt = expiryText(p.Persisted.LocalExpiry())
	}
	return values
}
