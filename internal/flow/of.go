// SPDX-License-Identifier: Apache-2.0

package flow

import (
	"errors"
	"slices"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// of returns the flow of the member of spec.provider that is set. A new provider is one more case here.
func of(p *v1alpha1.Provider) (Flow, error) {
	switch {
	case p.Experiture != nil:
		return experiture(p.Experiture), nil
	case p.Adobe != nil && p.Adobe.ServiceAccount != nil:
		return adobeServiceAccount(p.Adobe), nil
	case p.Adobe != nil:
		return adobeServerToServer(p.Adobe), nil
	case p.Apsis != nil:
		return apsis(p.Apsis), nil
	case p.Algonomy != nil:
		return algonomy(p.Algonomy)
	case p.Auth0 != nil:
		return auth0(p.Auth0), nil
	case p.OAuth2 != nil:
		return oauth2(p.OAuth2), nil
	case p.Basic != nil:
		return basic(), nil
	}
	return Flow{}, errors.New("spec.provider has no member that this version of the operator knows: upgrade it, or choose another provider")
}

// VendorHosts returns the vendors' own hosts, of all providers.
func VendorHosts() []string {
	return slices.Concat(adobeHosts, apsisHosts, experitureHosts)
}

// Of returns the flow of a provider. keys are the user's names for the client Secret's keys; nil means the defaults. An error is for the user to
// fix in the spec.
func Of(p *v1alpha1.Provider, keys *v1alpha1.ClientSecretKeys) (Flow, error) {
	f, err := of(p)
	f.Keys = withNames(f.Keys, keys)
	if f.Settings == nil {
		f.Settings = []Setting{spec(p)}
	}
	return f, err
}
