// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/token"
)

const (
	honestObjects = 16 // half of them with a private key that is encrypted as by OpenSSL
	newcomers     = 4
)

// honest are well-behaved objects; it measures how they fare.
type honest struct {
	b *bench

	mu      sync.Mutex
	objects map[string]*subject // by client ID
	late    time.Duration
}

// A subject is an honest object, as its endpoint sees it.
type subject struct {
	uid             types.UID
	created, issued time.Time
	isNew           bool
	waited          time.Duration
}

func (b *bench) newHonest(ctx context.Context) (*honest, error) {
	h := &honest{b: b, objects: map[string]*subject{}}
	b.servers.asked = h.asked
	for i := range honestObjects {
		if err := h.create(ctx, fmt.Sprintf("honest-%02d", i), i%2 == 0, false); err != nil {
			return nil, err
		}
	}
	return h, h.until(ctx)
}

// create creates an object, with or without a private key.
func (h *honest) create(ctx context.Context, name string, withKey, isNew bool) error {
	namespace := fmt.Sprint("honest-", len(h.objects)%4)
	if err := h.b.namespace(ctx, namespace); err != nil {
		return err
	}
	o := credential(namespace, name, h.b.servers.honest.URL+"/token")
	data := map[string]string{"client-id": name, "client-secret": "secret"}
	if withKey {
		o.Spec.Provider.OAuth2.AuthMethod = "PrivateKeyJWT"
		key, err := opensslKey()
		if err != nil {
			return err
		}
		data["private-key"], data["private-key-passphrase"] = key, passphrase
	}
	if err := h.b.cluster.Client.Create(ctx, clientSecret(o, data)); err != nil {
		return fmt.Errorf("create a client Secret: %w", err)
	}
	s := &subject{created: time.Now(), isNew: isNew}
	h.mu.Lock()
	h.objects[name] = s
	h.mu.Unlock()
	if err := h.b.cluster.Client.Create(ctx, o); err != nil {
		return fmt.Errorf("create an object: %w", err)
	}
	h.mu.Lock()
	s.uid = o.UID
	h.mu.Unlock()
	return nil
}

// asked records that a client requested a token.
func (h *honest) asked(client string, at time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := h.objects[client]
	if s == nil {
		return // of a hostile object
	}
	if s.issued.IsZero() {
		s.waited = at.Sub(s.created)
	} else {
		due := token.Life{IssuedAt: s.issued, ExpiresAt: s.issued.Add(lifetime)}.RenewAt(0, string(s.uid))
		h.late = max(h.late, at.Sub(due))
	}
	s.issued = at
}

func (h *honest) begin() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.late = 0
}

// join creates objects while bombs are thrown.
func (h *honest) join(ctx context.Context, during string) error {
	for i := range newcomers {
		if err := h.create(ctx, fmt.Sprintf("%s-%d", slug(during), i), i%2 == 0, true); err != nil {
			return err
		}
	}
	return nil
}

// end returns the maximum lateness of a renewal and the maximum wait of a newcomer for its first token.
func (h *honest) end(ctx context.Context) (late, waited time.Duration, err error) {
	if err := h.until(ctx); err != nil {
		return 0, 0, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, s := range h.objects {
		if s.isNew {
			waited = max(waited, s.waited)
			s.isNew = false
		}
	}
	return h.late, waited, nil
}

// until waits for the first token of every object.
func (h *honest) until(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, fmt.Errorf("honest objects still wait for a token after %v", patience))
	defer cancel()
	ticker := time.NewTicker(100 * time.Millisecond)
	defer ticker.Stop()
	for !h.served() {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-ticker.C:
		}
	}
	return nil
}

func (h *honest) served() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, s := range h.objects {
		if s.issued.IsZero() {
			return false
		}
	}
	return true
}

// credential returns an object whose target and client Secret are named after it.
func credential(namespace, name, tokenURL string) *v1alpha1.CDPCredential {
	o := &v1alpha1.CDPCredential{}
	o.Namespace, o.Name = namespace, name
	o.Spec.Provider.OAuth2 = &v1alpha1.OAuth2{TokenURL: v1alpha1.HTTPSURL(tokenURL)}
	o.Spec.ClientSecretRef.Name, o.Spec.Target.Name = name+"-client", name+"-token"
	return o
}

// clientSecret returns a client Secret that consents to loopback and to every CA.
func clientSecret(o *v1alpha1.CDPCredential, data map[string]string) *corev1.Secret {
	s := &corev1.Secret{StringData: data}
	s.Namespace, s.Name = o.Namespace, o.Spec.ClientSecretRef.Name
	s.Annotations = map[string]string{v1alpha1.AllowedHostsAnnotation: "127.0.0.1", "cdpcredentials.io/allowed-ca": "*"}
	return s
}
