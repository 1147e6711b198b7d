// SPDX-License-Identifier: Apache-2.0

package flow

import (
	"errors"
	"net/url"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// of makes the flow of the member of spec.provider that is set. A provider that is added is one line here.
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

// VendorHosts are the vendors' own hosts, of all providers.
func VendorHosts() []string {
	return slices.Concat(adobeHosts, apsisHosts, experitureHosts)
}

// Of is the flow of a provider, with the keys of the client Secret named as the user names them (nil: by default). The error is the user's to
// correct in the spec.
func Of(p *v1alpha1.Provider, keys *v1alpha1.ClientSecretKeys) (Flow, error) {
	f, err := of(p)
	f.Keys = withNames(f.Keys, keys)
	if f.Settings == nil {
		f.Settings = []Setting{spec(p)}
	}
	return f, err
}

// below is path below base, which may have a path of its own. A base that cannot be read stays as it is, for Check to refuse.
func below(base, path string) string {
	u, err := url.Parse(base)
	if err != nil {
		return base
	}
	return u.JoinPath(path).String()
}

func texts[T ~string](list []T) []string {
	var out []string
	for _, item := range list {
		out = append(out, string(item))
	}
	return out
}

func urlOr(url *v1alpha1.HTTPSURL, fallback string) string {
	if url == nil || *url == "" {
		return fallback
	}
	return string(*url)
}

func durationOr(d *metav1.Duration, fallback time.Duration) time.Duration {
	if d == nil || d.Duration <= 0 {
		return fallback
	}
	return d.Duration
}
