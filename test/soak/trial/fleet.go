// SPDX-License-Identifier: Apache-2.0

package trial

import (
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange/exchangetest"
)

// A member is one CDPCredential of the fleet, with everything the run knows about it.
type member struct {
	namespace, name string
	site            *site
	client          exchangetest.Client
	before          time.Duration // spec.refresh.before; zero: the default
	verify          bool
}

func (m *member) target() string       { return m.name + "-token" }
func (m *member) clientSecret() string { return m.name + "-client" }
func (m *member) String() string       { return m.namespace + "/" + m.name }

// endpoint returns the name of the member's endpoint.
func (m *member) endpoint() string { return m.site.endpoint(m.client.System) }

// lead returns how long before its expiry the contract requires a token to be renewed, without jitter.
func (m *member) lead(lifetime time.Duration) time.Duration {
	lead := m.before
	if lead == 0 {
		lead = max(lifetime/4, 150*time.Second)
	}
	return min(lead, lifetime/2)
}

// namespaces returns the namespaces of the fleet.
func namespaces() []string { return []string{"soak-a", "soak-b", "soak-c", "soak-d", "soak-e"} }

// fleet generates the members and registers their clients.
func fleet(chance *rand.Rand, n int, sites []*site) ([]*member, error) {
	var members []*member
	for i := range n {
		m := &member{namespace: namespaces()[i%len(namespaces())], name: fmt.Sprintf("cred-%03d", i), site: sites[i%len(sites)]}
		m.client = m.site.newClient(chance, fmt.Sprintf("%s-%03d", m.site.name, i))
		if chance.IntN(4) == 0 {
			m.before = m.client.Lifetime / 3
		}
		m.verify = chance.IntN(10) == 0
		if err := m.site.server.Register(m.client); err != nil {
			return nil, err
		}
		members = append(members, m)
	}
	return members, nil
}

// newClient generates a client of one of the systems, as their vendors define them.
func (s *site) newClient(chance *rand.Rand, id string) exchangetest.Client {
	c := exchangetest.Client{ID: id, Secret: newSecret(chance), Lifetime: between(chance, s.shortest, s.longest).Truncate(time.Second)}
	switch c.System = pick(chance, s.systems); c.System {
	case exchangetest.Adobe:
		c.OrganizationID, c.Scopes = "ORG@AdobeOrg", []string{"openid", "AdobeID"}
	case exchangetest.Algonomy:
		c.Resources = []string{"basic", "segments"}
		c.Lifetime = max(c.Lifetime.Truncate(time.Minute), time.Minute) // the client asks for whole minutes
	case exchangetest.Auth0:
		c.Audiences = []string{"https://api.example.com"}
	case exchangetest.Experiture:
		c.Scopes, c.Auth = []string{"cdp:records:write"}, exchangetest.AuthBasic
	case exchangetest.OAuth2:
		c.Scopes, c.Auth = []string{"read", "write"}, exchangetest.AuthPost
		c.Opaque = chance.IntN(3) == 0
	}
	return c
}

func newSecret(chance *rand.Rand) string {
	b := make([]byte, 20)
	for i := range b {
		b[i] = byte(chance.Uint32())
	}
	return hex.EncodeToString(b)
}

// secret returns the client Secret.
func (m *member) secret() *corev1.Secret {
	s := &corev1.Secret{StringData: m.values()}
	s.Namespace, s.Name = m.namespace, m.clientSecret()
	s.Annotations = map[string]string{v1alpha1.AllowedHostsAnnotation: m.site.server.Host(m.client.System)}
	s.StringData["ca.crt"] = string(m.site.server.CABundle())
	return s
}

func (m *member) values() map[string]string {
	if m.client.System == exchangetest.Algonomy {
		return map[string]string{"tenant-hash": m.client.ID, "oauth-key-secret": m.client.Secret}
	}
	return map[string]string{"client-id": m.client.ID, "client-secret": m.client.Secret}
}

// object returns the CDPCredential.
func (m *member) object() *v1alpha1.CDPCredential {
	obj := &v1alpha1.CDPCredential{}
	obj.Namespace, obj.Name = m.namespace, m.name
	obj.Spec = v1alpha1.CDPCredentialSpec{
		Provider:        m.provider(),
		ClientSecretRef: v1alpha1.ClientSecretReference{Name: m.clientSecret()},
		Target:          v1alpha1.Target{Name: m.target(), Data: map[string]v1alpha1.DataTemplate{"authorization": "Bearer {{ .token }}"}},
	}
	if m.before > 0 {
		obj.Spec.Refresh = &v1alpha1.Refresh{Before: &metav1.Duration{Duration: m.before}}
	}
	if m.verify {
		obj.Spec.Verify = &v1alpha1.Verify{URL: v1alpha1.HTTPSURL(m.site.server.APIURL(m.client.System)), Interval: &metav1.Duration{Duration: 10 * time.Second}}
	}
	return obj
}

func (m *member) provider() v1alpha1.Provider {
	server, system := m.site.server, m.client.System
	url := v1alpha1.HTTPSURL(server.URL(system))
	switch system {
	case exchangetest.Adobe:
		return v1alpha1.Provider{Adobe: &v1alpha1.Adobe{OrganizationID: m.client.OrganizationID, IMSURL: &url, Scopes: scopes(m.client.Scopes)}}
	case exchangetest.Algonomy:
		return v1alpha1.Provider{Algonomy: &v1alpha1.Algonomy{
			URL: url, API: "Profile", Resources: scopes(m.client.Resources), Validity: &metav1.Duration{Duration: m.client.Lifetime},
		}}
	case exchangetest.Apsis:
		return v1alpha1.Provider{Apsis: &v1alpha1.Apsis{URL: &url}}
	case exchangetest.Auth0:
		return v1alpha1.Provider{Auth0: &v1alpha1.Auth0{Domain: server.Host(system), Audience: m.client.Audiences[0]}}
	case exchangetest.Experiture:
		return v1alpha1.Provider{Experiture: &v1alpha1.Experiture{TokenURL: v1alpha1.HTTPSURL(server.TokenURL(system)), Scopes: scopes(m.client.Scopes)}}
	}
	return v1alpha1.Provider{OAuth2: &v1alpha1.OAuth2{
		TokenURL: v1alpha1.HTTPSURL(server.TokenURL(exchangetest.OAuth2)), AuthMethod: "ClientSecretPost", Scopes: scopes(m.client.Scopes),
	}}
}

func scopes(names []string) []v1alpha1.Scope {
	var out []v1alpha1.Scope
	for _, name := range names {
		out = append(out, v1alpha1.Scope(name))
	}
	return out
}
