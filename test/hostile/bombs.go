// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/youmark/pkcs8"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// A kind is a kind of bomb.
type kind struct {
	name string
	// throw creates sixteen bombs in round 0, and triggers them again in later rounds.
	throw func(ctx context.Context, round int) error
	// effect returns an error if the bombs had no effect. Nil: it cannot be checked.
	effect func(ctx context.Context) error
}

func (b *bench) kinds() []kind {
	return []kind{
		{name: "JSON answers", throw: b.throwAnswers, effect: b.answersWereRead},
		{name: "scrypt keys", throw: b.throwKeys(pkcs8.ScryptOpts{SaltSize: 8, CostParameter: 1 << 14, BlockSize: 8, ParallelizationParameter: 1}), effect: b.allHaveTokens},
		{name: "PBKDF2 keys", throw: b.throwKeys(pkcs8.PBKDF2Opts{SaltSize: 8, IterationCount: 1_000_000, HMACHash: crypto.SHA256}), effect: b.allHaveTokens},
		{name: "keys that are too expensive", throw: b.throwKeys(pkcs8.ScryptOpts{SaltSize: 8, CostParameter: 1 << 15, BlockSize: 8, ParallelizationParameter: 1})},
		{name: "big objects", throw: b.throwObjects, effect: b.allHaveTokens},
		{name: "big Secrets", throw: b.throwSecrets, effect: b.allHaveTokens},
	}
}

// place returns the object of a bomb. Each is in a namespace of its own, which is the worst case for others.
func (b *bench) place(ctx context.Context, i int, url string) (*v1alpha1.CDPCredential, error) {
	namespace := fmt.Sprintf("hostile-%02d", i)
	return credential(namespace, "bomb", url), b.namespace(ctx, namespace)
}

func (b *bench) throwAnswers(ctx context.Context, round int) error {
	if round > 0 {
		return b.ask(ctx, round)
	}
	return each(func(i int) error {
		o, err := b.place(ctx, i, b.servers.hostile[i].URL+"/token")
		if err != nil {
			return err
		}
		return b.apply(ctx, clientSecret(o, map[string]string{"client-id": "hostile", "client-secret": "secret"}), o)
	})
}

func (b *bench) answersWereRead(context.Context) error {
	b.servers.mu.Lock()
	defer b.servers.mu.Unlock()
	if b.servers.thrown < 2*many {
		return fmt.Errorf("%d answers were read, want at least %d", b.servers.thrown, 2*many)
	}
	return nil
}

func (b *bench) throwKeys(cost pkcs8.KDFOpts) func(context.Context, int) error {
	return func(ctx context.Context, round int) error {
		return each(func(i int) error {
			o, err := b.place(ctx, i, b.servers.honest.URL+"/token")
			if err != nil {
				return err
			}
			o.Spec.Provider.OAuth2.AuthMethod = "PrivateKeyJWT"
			key, err := encryptedKey(cost)
			if err != nil {
				return err
			}
			secret := clientSecret(o, map[string]string{"client-id": "hostile", "private-key": key, "private-key-passphrase": passphrase})
			if round == 0 {
				return b.apply(ctx, secret, o)
			}
			data := secret.StringData
			return b.change(ctx, secret, func() { secret.StringData = data })
		})
	}
}

// throwObjects creates objects of the maximum size that the schema allows.
func (b *bench) throwObjects(ctx context.Context, round int) error {
	if round > 0 {
		return b.ask(ctx, round)
	}
	bundle, err := largeBundle(b.servers.authority)
	if err != nil {
		return err
	}
	return each(func(i int) error {
		o, err := b.place(ctx, i, b.servers.honest.URL+"/token")
		if err != nil {
			return err
		}
		text := func(n int) string { return strings.Repeat("x", n) }
		o.Spec.TLS = &v1alpha1.TLS{CABundle: bundle}
		o.Spec.Target.Data = map[string]v1alpha1.DataTemplate{}
		for j := range 4 {
			o.Spec.Target.Data[fmt.Sprint("template-", j)] = v1alpha1.DataTemplate(text(15<<10) + "{{ .expiresAt }}")
		}
		o.Spec.Target.Annotations = map[string]v1alpha1.AnnotationValue{}
		for j := range 14 {
			o.Spec.Target.Annotations[fmt.Sprint("example.com/", j)] = v1alpha1.AnnotationValue(text(4 << 10))
		}
		o.Spec.Provider.OAuth2.Parameters = map[string]v1alpha1.ParameterValue{}
		for j := range 12 {
			o.Spec.Provider.OAuth2.Parameters[fmt.Sprint("parameter-", j)] = v1alpha1.ParameterValue(text(4 << 10))
		}
		return b.apply(ctx, clientSecret(o, map[string]string{"client-id": "hostile", "client-secret": "secret"}), o)
	})
}

// throwSecrets creates client Secrets of the maximum size that the API server allows.
func (b *bench) throwSecrets(ctx context.Context, round int) error {
	if round > 0 {
		return b.ask(ctx, round)
	}
	return each(func(i int) error {
		o, err := b.place(ctx, i, b.servers.honest.URL+"/token")
		if err != nil {
			return err
		}
		secret := clientSecret(o, map[string]string{"client-id": "hostile", "client-secret": "secret", "more": strings.Repeat("x", 700<<10)})
		for j := range 240 {
			secret.Annotations[fmt.Sprint("example.com/", j)] = strings.Repeat("x", 1000)
		}
		other := secret.DeepCopy() // one that claims to be a target
		other.Name, other.Annotations["cdpcredentials.io/credential"] = "other", "nobody"
		return errors.Join(b.apply(ctx, secret, o), client.IgnoreAlreadyExists(b.cluster.Client.Create(ctx, other)))
	})
}

// ask triggers the bombs again.
func (b *bench) ask(ctx context.Context, round int) error {
	return each(func(i int) error {
		o, err := b.place(ctx, i, "")
		if err != nil {
			return err
		}
		return b.change(ctx, o, func() {
			o.Annotations = map[string]string{v1alpha1.RefreshRequestedAtAnnotation: fmt.Sprint(time.Now().UnixNano(), "-", round)}
		})
	})
}

// allHaveTokens returns an error if a bomb has no token, which means that it had no effect.
func (b *bench) allHaveTokens(ctx context.Context) error {
	return each(func(i int) error {
		o, err := b.place(ctx, i, "")
		if err != nil {
			return err
		}
		if err := b.cluster.Client.Get(ctx, client.ObjectKeyFromObject(o), o); err != nil {
			return err
		}
		if !meta.IsStatusConditionTrue(o.Status.Conditions, v1alpha1.ConditionReady) {
			return fmt.Errorf("bomb %d is not ready: %s", i, describe(o))
		}
		return nil
	})
}

func describe(o *v1alpha1.CDPCredential) string {
	c := meta.FindStatusCondition(o.Status.Conditions, v1alpha1.ConditionRefreshed)
	if c == nil {
		return "it has no condition Refreshed"
	}
	return c.Reason + ": " + c.Message
}

// apply creates a client Secret and its object.
func (b *bench) apply(ctx context.Context, secret *corev1.Secret, o *v1alpha1.CDPCredential) error {
	if err := b.cluster.Client.Create(ctx, secret); err != nil {
		return fmt.Errorf("create a client Secret: %w", err)
	}
	if err := b.cluster.Client.Create(ctx, o); err != nil {
		return fmt.Errorf("create an object: %w", err)
	}
	return nil
}

func (b *bench) change(ctx context.Context, o client.Object, change func()) error {
	if err := b.cluster.Client.Get(ctx, client.ObjectKeyFromObject(o), o); err != nil {
		return err
	}
	before := o.DeepCopyObject().(client.Object)
	change()
	return b.cluster.Client.Patch(ctx, o, client.MergeFrom(before))
}

// clear removes the bombs.
func (b *bench) clear(ctx context.Context) error {
	return each(func(i int) error {
		namespace := client.InNamespace(fmt.Sprintf("hostile-%02d", i))
		return errors.Join(b.cluster.Client.DeleteAllOf(ctx, &v1alpha1.CDPCredential{}, namespace), b.cluster.Client.DeleteAllOf(ctx, &corev1.Secret{}, namespace))
	})
}

func (b *bench) namespace(ctx context.Context, name string) error {
	namespace := &corev1.Namespace{}
	namespace.Name = name
	if err := b.cluster.Client.Create(ctx, namespace); err != nil && !apierrors.IsAlreadyExists(err) {
		return fmt.Errorf("create a namespace: %w", err)
	}
	return nil
}

func each(do func(i int) error) error {
	for i := range many {
		if err := do(i); err != nil {
			return err
		}
	}
	return nil
}

func slug(name string) string { return strings.ToLower(strings.ReplaceAll(name, " ", "-")) }

const passphrase = "open-sesame"

// opensslKey returns a key encrypted with OpenSSL's defaults.
func opensslKey() (string, error) {
	return encryptedKey(pkcs8.PBKDF2Opts{SaltSize: 8, IterationCount: 2048, HMACHash: crypto.SHA256})
}

func encryptedKey(cost pkcs8.KDFOpts) (string, error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return "", fmt.Errorf("generate a private key: %w", err)
	}
	der, err := pkcs8.MarshalPrivateKey(private, []byte(passphrase), &pkcs8.Opts{Cipher: pkcs8.AES256CBC, KDFOpts: cost})
	if err != nil {
		return "", fmt.Errorf("encrypt a private key: %w", err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "ENCRYPTED PRIVATE KEY", Bytes: der})), nil
}

// largeBundle returns the authority with as many other certificates as a spec may have.
func largeBundle(authority []byte) ([]byte, error) {
	bundle := authority
	for i := int64(1); ; i++ {
		private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			return nil, fmt.Errorf("generate a private key: %w", err)
		}
		template := &x509.Certificate{SerialNumber: big.NewInt(i), IsCA: true, BasicConstraintsValid: true, NotAfter: time.Now().Add(time.Hour)}
		der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
		if err != nil {
			return nil, fmt.Errorf("create a certificate: %w", err)
		}
		more := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
		if len(bundle)+len(more) > 64<<10 {
			return bundle, nil
		}
		bundle = append(slices.Clip(bundle), more...)
	}
}
