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

// A DesiredFlow is what an object asks for, with every default filled in but without the values of the client Secret.
type DesiredFlow struct {
	Flow flow.Flow
	// Endpoint is where the exchange goes. Zero where nothing is exchanged.
	Endpoint egress.Endpoint
	// CAKey is the key of the client Secret that is named for a private CA. Empty: none is.
	CAKey string
	// SpecHash is a fingerprint of all this, SpecHashWithoutUpdatable the same without what an update changes. Empty where the flow has no update.
	SpecHash, SpecHashWithoutUpdatable string
}

// builtInHosts are the vendors' own hosts: no private CA may stand for one, whatever the provider.
var builtInHosts = MustHosts(strings.Join(flow.VendorHosts(), ","))

// MustHosts parses a list of hosts that the program brings itself. It panics if the list is wrong.
func MustHosts(list string) egress.Hosts {
	hosts, err := egress.ParseHosts(list)
	if err != nil {
		panic(err)
	}
	return hosts
}

// DesiredFlowOf reads the spec. An error is the user's to correct in the spec.
func DesiredFlowOf(spec *v1alpha1.CDPCredentialSpec) (DesiredFlow, error) {
	in := DesiredFlow{}
	var err error
	if in.Flow, err = flow.Of(&spec.Provider, spec.ClientSecretRef.Keys); err != nil {
		return in, err
	}
	if keys := spec.ClientSecretRef.Keys; keys != nil {
		in.CAKey = string(keys.CACertificate)
	}
	in.SpecHash = in.fingerprint(in.Flow.Fingerprint(nil, nil, ""), spec.ClientSecretRef.Name)
	if rest := in.Flow.FingerprintWithoutUpdatable(nil, nil, ""); rest != "" {
		in.SpecHashWithoutUpdatable = in.fingerprint(rest, spec.ClientSecretRef.Name)
	}
	if !in.Flow.Exchanges() {
		return in, nil
	}
	if in.Endpoint, err = egress.EndpointOf(in.Flow.Address); err != nil {
		return in, fmt.Errorf("spec.provider.%s: %w", in.Flow.Provider, err)
	}
	return in, nil
}

// ownHost reports whether the endpoint is one of the vendor's own hosts.
func (in *DesiredFlow) ownHost(endpoint egress.Endpoint) bool {
	return slices.Contains(in.Flow.Hosts, endpoint.Host)
}

func (in *DesiredFlow) fingerprint(ofFlow, secretName string) string {
	keys := []byte{}
	for _, key := range in.Flow.Keys {
		keys = append(keys, key.Field+"="+key.Name+"\n"...)
	}
	if in.CAKey != "" {
		keys = append(keys, "caCertificate="+in.CAKey+"\n"...)
	}
	return Fingerprint(nil, []byte(ofFlow), []byte(secretName), keys)
}

// Request fills in the values of the client Secret.
func (in *DesiredFlow) Request(secret *corev1.Secret) (exchange.Request, error) {
	req := exchange.Request{Flow: in.Flow, Values: exchange.Values{}, Namespace: secret.Namespace, Issue: issueOf(secret)}
	for _, key := range in.Flow.Keys {
		text := trimNewline(string(secret.Data[key.Name]))
		if text == "" && !key.Optional {
			return req, &missingKeyError{Secret: secret.Name, Key: key.Name, Field: key.Field}
		}
		req.Values[key.Field] = exchange.Secret(text)
	}
	return req, nil
}

// issueOf is which token it is that a client Secret holds which is the target of another object. Were only its values compared, an object whose client
// Secret is changed would tell, by whether those that take its target are renewed, if the two Secrets hold the same. Empty: the operator did not write it.
func issueOf(secret *corev1.Secret) string {
	if rec := ParseAnyPersistedState(secret.Annotations[v1alpha1.StateAnnotation]); rec != nil {
		return string(rec.Salt)
	}
	return ""
}

// A missingKeyError says that the client Secret has no value for a key.
type missingKeyError struct{ Secret, Key, Field string }

func (e *missingKeyError) Error() string {
	return fmt.Sprintf("Secret %s has no value under the key %s: add it, or name another key in spec.clientSecretRef.keys.%s", e.Secret, e.Key, e.Field)
}
