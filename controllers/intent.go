package controllers

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/egress"
	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange"
	"github.com/cdpcredentials/cdp-credential-operator/internal/flow"
)

// An intent is what an object asks for, with every default filled in but without the values of the client Secret.
type intent struct {
	flow flow.Flow
	// endpoint is where the exchange goes. Zero where nothing is exchanged.
	endpoint egress.Endpoint
	// caKey is the key of the client Secret that is named for a private CA. Empty: none is.
	caKey string
	// asked is a fingerprint of all this, askedRest the same without what an update changes. Empty where the flow has no update.
	asked, askedRest string
}

// builtInHosts are the vendors' own hosts: no private CA may stand for one, whatever the provider.
var builtInHosts = mustHosts(strings.Join(flow.VendorHosts(), ","))

func mustHosts(list string) egress.Hosts {
	hosts, err := egress.ParseHosts(list)
	if err != nil {
		panic(err)
	}
	return hosts
}

// intentOf reads the spec. An error is the user's to correct in the spec.
func intentOf(spec *v1alpha1.CDPCredentialSpec) (intent, error) {
	in := intent{}
	var err error
	if in.flow, err = flow.Of(&spec.Provider, spec.ClientSecretRef.Keys); err != nil {
		return in, err
	}
	if keys := spec.ClientSecretRef.Keys; keys != nil {
		in.caKey = string(keys.CACertificate)
	}
	in.asked = in.fingerprint(in.flow.Fingerprint(nil, nil, ""), spec.ClientSecretRef.Name)
	if rest := in.flow.FingerprintWithoutUpdatable(nil, nil, ""); rest != "" {
		in.askedRest = in.fingerprint(rest, spec.ClientSecretRef.Name)
	}
	if !in.flow.Exchanges() {
		return in, nil
	}
	if in.endpoint, err = egress.EndpointOf(in.flow.Address); err != nil {
		return in, fmt.Errorf("spec.provider.%s: %w", in.flow.Provider, err)
	}
	return in, nil
}

// ownHost reports whether the endpoint is one of the vendor's own hosts.
func (in *intent) ownHost(endpoint egress.Endpoint) bool {
	return slices.Contains(in.flow.Hosts, endpoint.Host)
}

func (in *intent) fingerprint(ofFlow, secretName string) string {
	keys := []byte{}
	for _, key := range in.flow.Keys {
		keys = append(keys, key.Field+"="+key.Name+"\n"...)
	}
	if in.caKey != "" {
		keys = append(keys, "caCertificate="+in.caKey+"\n"...)
	}
	return fingerprint(nil, []byte(ofFlow), []byte(secretName), keys)
}

// withClient fills in the values of the client Secret.
func (in *intent) withClient(secret *corev1.Secret) (exchange.Request, error) {
	req := exchange.Request{Flow: in.flow, Values: exchange.Values{}, Namespace: secret.Namespace, Issue: issueOf(secret)}
	for _, key := range in.flow.Keys {
		text := trimNewline(string(secret.Data[key.Name]))
		if text == "" && !key.Optional {
			return req, &missingKeyError{secret: secret.Name, key: key.Name, field: key.Field}
		}
		req.Values[key.Field] = exchange.Secret(text)
	}
	return req, nil
}

// issueOf is which token it is that a client Secret holds which is the target of another object. Were only its values compared, an object whose client
// Secret is changed would tell, by whether those that take its target are renewed, if the two Secrets hold the same. Empty: the operator did not write it.
func issueOf(secret *corev1.Secret) string {
	if rec := anyRecord(secret.Annotations[v1alpha1.StateAnnotation]); rec != nil {
		return string(rec.Salt)
	}
	return ""
}

// A missingKeyError says that the client Secret has no value for a key.
type missingKeyError struct{ secret, key, field string }

func (e *missingKeyError) Error() string {
	return fmt.Sprintf("Secret %s has no value under the key %s: add it, or name another key in spec.clientSecretRef.keys.%s", e.secret, e.key, e.field)
}

// trimNewline takes one trailing newline away: files made with echo have one.
func trimNewline(s string) string {
	if n := len(s); n > 0 && s[n-1] == '\n' {
		s = s[:n-1]
		if n := len(s); n > 0 && s[n-1] == '\r' {
			s = s[:n-1]
		}
	}
	return s
}

// shapeOf is a fingerprint of what spec.target says about the Secret's content.
func shapeOf(target *v1alpha1.Target) string {
	// Marshalling strings and maps of strings cannot fail.
	text, _ := json.Marshal([]any{target.Labels, target.Annotations, target.Data, retains(target)})
	return fingerprint(nil, text)
}

// templatesHash is a fingerprint of the templates of spec.target.data. Empty: there are none.
func templatesHash(target *v1alpha1.Target) string {
	if len(target.Data) == 0 {
		return ""
	}
	text, _ := json.Marshal(target.Data) // cannot fail: maps of strings, in sorted order
	return fingerprint(nil, text)
}

func retains(target *v1alpha1.Target) bool {
	return target.DeletionPolicy == v1alpha1.DeletionPolicyRetain
}

func textMap[T ~string](m map[string]T) map[string]string {
	if m == nil {
		return nil
	}
	out := make(map[string]string, len(m))
	for key, item := range m {
		out[key] = string(item)
	}
	return out
}

func durationOr(d *metav1.Duration, fallback time.Duration) time.Duration {
	if d == nil || d.Duration <= 0 {
		return fallback
	}
	return d.Duration
}
