// SPDX-License-Identifier: Apache-2.0

package exchange_test

import (
	"maps"
	"strings"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange"
	"github.com/cdpcredentials/cdp-credential-operator/internal/flow"
)

// ask is what a test asks for: a provider as users write it, and the values of the client Secret.
type ask struct {
	v1alpha1.Provider
	Values       exchange.Values
	CurrentToken exchange.Secret
}

// request has the provider's flow.
func (a ask) request() exchange.Request {
	f, err := flow.Of(&a.Provider, nil)
	if err != nil {
		panic(err)
	}
	return exchange.Request{Flow: f, Values: a.Values, CurrentToken: a.CurrentToken}
}

// at is the same of an endpoint at another address.
func (a ask) at(address string) ask {
	a.Provider = *a.DeepCopy()
	url := v1alpha1.HTTPSURL(address)
	switch {
	case a.Experiture != nil:
		a.Experiture.TokenURL = url
	case a.Adobe != nil:
		a.Adobe.IMSURL = &url
	case a.Apsis != nil:
		a.Apsis.URL = &url
	case a.Algonomy != nil:
		a.Algonomy.URL = url
	case a.Auth0 != nil:
		a.Auth0.Domain = strings.TrimPrefix(address, "https://")
	case a.OAuth2 != nil:
		a.OAuth2.TokenURL = url
	}
	return a
}

// with is the same with other values of the client Secret.
func (a ask) with(values exchange.Values) ask {
	a.Values = maps.Clone(a.Values)
	if a.Values == nil {
		a.Values = exchange.Values{}
	}
	maps.Copy(a.Values, values)
	return a
}

// updating is the same for the update of a token.
func (a ask) updating(held exchange.Secret) ask {
	a.CurrentToken = held
	return a
}
