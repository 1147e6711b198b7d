// SPDX-License-Identifier: Apache-2.0

// Package samples applies config/samples with local stand-ins of the token endpoints.
package samples

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/yaml"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange/exchangetest"
	"github.com/cdpcredentials/cdp-credential-operator/internal/flow"
	"github.com/cdpcredentials/cdp-credential-operator/test/framework"
)

// A Credential is one sample.
type Credential struct {
	Name     string
	Target   string
	Provider string              // member of spec.Provider
	Client   exchangetest.Client // at the stand-in
	// settings are merged into that member of spec.Provider: the address of the stand-in, for example.
	settings map[string]any
	// values replace the placeholders of the client Secret.
	values map[string]string
}

// Apply registers a client for each sample and applies all samples in a namespace, which it creates. Algonomy's tokens, whose clients ask for a
// lifetime, live as long as validity; others as the endpoints are configured.
func Apply(ctx context.Context, c *framework.Cluster, endpoints *exchangetest.Server, namespace string, validity time.Duration) ([]Credential, error) {
	samples, err := readSamples(filepath.Join(c.Root, "config/samples"))
	if err != nil {
		return nil, err
	}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, fmt.Errorf("generate a service account's key: %w", err)
	}
	patches := map[string]any{}
	var credentials []Credential
	for _, sample := range samples {
		cred, err := localCredential(sample, endpoints, key, validity)
		if err != nil {
			return nil, err
		}
		if err := endpoints.Register(cred.Client); err != nil {
			return nil, err
		}
		credentials = append(credentials, cred)
		patches[sample.Name+"-credential.yaml"] = cred.credentialPatch(sample)
		patches[sample.Name+"-secret.yaml"] = cred.secretPatch(sample, endpoints)
	}
	folder, err := c.Overlay("config/samples", "samples", namespace, patches)
	if err != nil {
		return nil, err
	}
	if _, err := c.Kubectl(ctx, "apply", "-k", folder); err != nil {
		return nil, fmt.Errorf("apply config/samples: %w", err)
	}
	return credentials, nil
}

// readSamples returns the CDPCredentials of a folder.
func readSamples(folder string) ([]v1alpha1.CDPCredential, error) {
	files, err := filepath.Glob(filepath.Join(folder, "cdpcredentials_*.yaml"))
	if err != nil || len(files) == 0 {
		return nil, fmt.Errorf("no samples in %s: %w", folder, errors.Join(err, os.ErrNotExist))
	}
	var samples []v1alpha1.CDPCredential
	for _, file := range files {
		content, err := os.ReadFile(file) //nolint:gosec // the repository's own samples
		if err != nil {
			return nil, fmt.Errorf("read sample: %w", err)
		}
		decoder := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(content), 4096)
		for {
			var object v1alpha1.CDPCredential
			if err := decoder.Decode(&object); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				return nil, fmt.Errorf("parse sample %s: %w", filepath.Base(file), err)
			}
			if object.Kind == "CDPCredential" {
				samples = append(samples, object)
			}
		}
	}
	return samples, nil
}

// localCredential generates a client for a sample, and what must change in the sample to use it.
func localCredential(sample v1alpha1.CDPCredential, endpoints *exchangetest.Server, key *rsa.PrivateKey, validity time.Duration) (Credential, error) {
	client := exchangetest.Client{ID: rand.Text(), Secret: rand.Text()}
	values := map[string]string{"client-id": client.ID, "client-secret": client.Secret}
	cred := Credential{Name: sample.Name, Target: sample.Spec.Target.Name}
	switch p := sample.Spec.Provider; {
	case p.Adobe != nil:
		client.System, cred.Provider = exchangetest.Adobe, "adobe"
		client.OrganizationID = p.Adobe.OrganizationID
		client.Scopes = texts(p.Adobe.Scopes)
		cred.settings = map[string]any{"imsURL": endpoints.URL(exchangetest.Adobe)}
		if account := p.Adobe.ServiceAccount; account != nil {
			client.PublicKey = &key.PublicKey
			client.TechnicalAccountID = account.TechnicalAccountID
			client.Metascopes = texts(account.Metascopes)
			values["private-key"] = privatePEM(key)
		}
	case p.Algonomy != nil:
		client.System, cred.Provider = exchangetest.Algonomy, "algonomy"
		client.Resources = texts(p.Algonomy.Resources)
		values = map[string]string{"tenant-hash": client.ID, "oauth-key-secret": client.Secret}
		cred.settings = map[string]any{"url": endpoints.URL(exchangetest.Algonomy), "validity": validity.String()}
	case p.Auth0 != nil:
		client.System, cred.Provider = exchangetest.Auth0, "auth0"
		client.Audiences = []string{p.Auth0.Audience}
		cred.settings = map[string]any{"domain": endpoints.Host(exchangetest.Auth0)}
	case p.Basic != nil:
		client.System, cred.Provider = exchangetest.Basic, "basic"
		values = map[string]string{"token-id": client.ID, "token-secret": client.Secret}
	case p.Experiture != nil:
		client.System, cred.Provider = exchangetest.Experiture, "experiture"
		client.Scopes = texts(p.Experiture.Scopes)
		cred.settings = map[string]any{"tokenURL": endpoints.TokenURL(exchangetest.Experiture)}
	case p.OAuth2 != nil:
		client.System, cred.Provider = exchangetest.OAuth2, "oauth2"
		client.Scopes = texts(p.OAuth2.Scopes)
		cred.settings = map[string]any{"tokenURL": endpoints.TokenURL(exchangetest.OAuth2)}
	default:
		return simpleCredential(sample, endpoints)
	}
	cred.Client, cred.values = client, values
	return cred, nil
}

// simpleCredential handles a provider whose stand-in has its name, whose address can be set, and whose first two keys are the client's ID and secret.
func simpleCredential(sample v1alpha1.CDPCredential, endpoints *exchangetest.Server) (Credential, error) {
	f, err := flow.Of(&sample.Spec.Provider, nil)
	system := exchangetest.System(f.Provider)
	if err != nil {
		return Credential{}, fmt.Errorf("prepare sample %s: %w", sample.Name, err)
	}
	if endpoints.Host(system) == "" || len(f.Keys) < 2 {
		return Credential{}, fmt.Errorf("prepare sample %s: exchangetest has no stand-in for %s", sample.Name, f.Provider)
	}
	client := exchangetest.Client{System: system, ID: rand.Text(), Secret: rand.Text()}
	return Credential{
		Name: sample.Name, Target: sample.Spec.Target.Name, Provider: f.Provider, Client: client,
		settings: map[string]any{f.AddressField[strings.LastIndexByte(f.AddressField, '.')+1:]: endpoints.URL(system)},
		values:   map[string]string{f.Keys[0].Default: client.ID, f.Keys[1].Default: client.Secret},
	}, nil
}

func (c Credential) credentialPatch(sample v1alpha1.CDPCredential) map[string]any {
	spec := map[string]any{}
	if c.settings != nil {
		spec["provider"] = map[string]any{c.Provider: c.settings}
	}
	return map[string]any{
		"apiVersion": v1alpha1.GroupVersion.String(),
		"kind":       "CDPCredential",
		"metadata":   map[string]any{"name": sample.Name},
		"spec":       spec,
	}
}

func (c Credential) secretPatch(sample v1alpha1.CDPCredential, endpoints *exchangetest.Server) map[string]any {
	metadata := map[string]any{"name": sample.Spec.ClientSecretRef.Name}
	values := maps.Clone(c.values)
	if c.settings != nil {
		metadata["annotations"] = map[string]any{v1alpha1.AllowedHostsAnnotation: endpoints.Host(c.Client.System)}
		values["ca.crt"] = string(endpoints.CABundle())
	}
	return map[string]any{"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": values}
}

func texts[T ~string](values []T) []string {
	out := make([]string, 0, len(values))
	for _, value := range values {
		out = append(out, string(value))
	}
	return out
}

func privatePEM(key *rsa.PrivateKey) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}))
}
