// SPDX-License-Identifier: Apache-2.0

package exchangetest

// vendors are all systems. A new one is one line here.
func vendors() map[System]vendor {
	return map[System]vendor{
		Adobe:      adobe(),
		Algonomy:   algonomy(),
		Apsis:      apsis(),
		Auth0:      auth0(),
		Basic:      basic(),
		Experiture: experiture(),
		OAuth2:     oauth2(),
	}
}
