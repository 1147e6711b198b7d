// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/egress"
	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange"
	"github.com/cdpcredentials/cdp-credential-operator/internal/flow"
)

// A DesiredFlow is the flow that spec asks for, with all defaults but without the values of the client Secret.
type DesiredFlow struct {
	Flow flow.Flow
	// Endpoint is where the exchange goes. Zero if nothing is exchanged.
	Endpoint egress.Endpoint
	// CAKey is the key of the client Secret that spec names for a private CA. Empty: none.
	CAKey string
	// SpecHash is a fingerprint of all this. SpecHashWithoutUpdatable leaves out what an update of the token can change; it is empty if the flow has no
	// update.
	SpecHash, SpecHashWithoutUpdatable string
}

// builtInHosts are the vendors' own hosts. No private CA may vouch for them, whatever the provider.
var builtInHosts = mustHosts(strings.Join(flow.VendorHosts(), ","))

// mustHosts parses a list of hosts that is part of the program. It panics if that is wrong.
func mustHosts(list string) egress.Hosts {
	hosts, err := egress.ParseHosts(list)
	if err != nil {
		panic(err)
	}
	return hosts
}

// DesiredFlowOf reads the spec. An error is the user's to fix in the spec.
func DesiredFlowOf(spec *v1alpha1.CDPCredentialSpec) (DesiredFlow, error) {
	desired := DesiredFlow{}
	var err error
	if desired.Flow, err = flow.Of(&spec.Provider, spec.ClientSecretRef.Keys); err != nil {
		return desired, err
	}
	if keys := spec.ClientSecretRef.Keys; keys != nil {
		desired.CAKey = string(keys.CACertificate)
	}
	desired.SpecHash = desired.fingerprint(desired.Flow.Fingerprint(nil, nil, ""), spec.ClientSecretRef.Name)
	if ofFlow := desired.Flow.FingerprintWithoutUpdatable(nil, nil, ""); ofFlow != "" {
		desired.SpecHashWithoutUpdatable = desired.fingerprint(ofFlow, spec.ClientSecretRef.Name)
	}
	if !desired.Flow.Exchanges() {
		return desired, nil
	}
	if desired.Endpoint, err = egress.EndpointOf(desired.Flow.Address); err != nil {
		return desired, fmt.Errorf("spec.provider.%s: %w", desired.Flow.Provider, err)
	}
	return desired, nil
}

// isVendorsOwn reports whether the endpoint is one of the vendor's own hosts.
func (d *DesiredFlow) isVendorsOwn(endpoint egress.Endpoint) bool {
	return slices.Contains(d.Flow.Hosts, endpoint.Host)
}

func (d *DesiredFlow) fingerprint(ofFlow, secretName string) string {
	keys := []byte{}
	for _, key := range d.Flow.Keys {
		keys = append(keys, key.Field+"="+key.Name+"\n"...)
	}
	if d.CAKey != "" {
		keys = append(keys, "caCertificate="+d.CAKey+"\n"...)
	}
	return fingerprint(nil, []byte(ofFlow), []byte(secretName), keys)
}

// Request fills in the values of the client Secret.
func (d *DesiredFlow) Request(secret *corev1.Secret) (exchange.Request, error) {
	req := exchange.Request{Flow: d.Flow, Values: exchange.Values{}, Namespace: secret.Namespace, Issue: issueOf(secret)}
	for _, key := range d.Flow.Keys {
		value := trimNewline(string(secret.Data[key.Name]))
		if value == "" && !key.Optional {
			return req, &missingKeyError{Secret: secret.Name, Key: key.Name, Field: key.Field}
		}
		req.Values[key.Field] = exchange.Secret(value)
	}
	return req, nil
}

// issueOf identifies the token in a client Secret that is itself the target of another object. Empty: it is none. If only values were compared, an
// object whose client Secret was switched between two targets would reveal, by renewing its token or not, whether both hold the same value.
func issueOf(secret *corev1.Secret) string {
	if p := ParseAnyPersistedState(secret.Annotations[v1alpha1.StateAnnotation]); p != nil {
		return string(p.Salt)
	}
	return ""
}

// A missingKeyError says that the client Secret has no value for a key.
type missingKeyError struct{ Secret, Key, Field string }

func (e *missingKeyError) Error() string {
	return fmt.Sprintf("Secret %s has no value under the key %s: add it, or name another key in spec.clientSecretRef.keys.%s", e.Secret, e.Key, e.Field)
}
