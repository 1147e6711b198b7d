// SPDX-License-Identifier: Apache-2.0

package exchangetest

import (
	"net/http"
	"slices"
)

// params are a request's parameters, each with at least one value, none of them empty.
type params map[string][]string

func (p params) get(name string) string {
	if len(p[name]) == 0 {
		return ""
	}
	return p[name][0]
}

func (p params) has(name string) bool { return len(p[name]) > 0 }

// only refuses parameters that are not named.
func (p params) only(names ...string) *refusal {
	for name := range p {
		if !slices.Contains(names, name) {
			return invalidRequest("unknown parameter %q", name)
		}
	}
	return nil
}

// need refuses a request that lacks a parameter.
func (p params) need(names ...string) *refusal {
	for _, name := range names {
		if !p.has(name) {
			return invalidRequest("parameter %q is missing", name)
		}
	}
	return nil
}

// clientCredentials refuses any other grant.
func (p params) clientCredentials() *refusal {
	if no := p.need("grant_type"); no != nil {
		return no
	}
	if grant := p.get("grant_type"); grant != "client_credentials" {
		return refuse(http.StatusBadRequest, "unsupported_grant_type", "grant type %q is not supported", grant)
	}
	return nil
}
