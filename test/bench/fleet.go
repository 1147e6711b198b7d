// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// unrelatedSize is the size of an unrelated Secret's data in bytes.
const unrelatedSize = 20 << 10

// A fleet is a number of credentials, each with its own client Secret.
type fleet struct {
	name       string
	size       int
	namespaces int // among which it is spread
	endpoint   *endpoint
	admin      client.Client
}

func (f *fleet) namespace(i int) string { return fmt.Sprintf("%s-%02d", f.name, i%f.namespaces) }
func (f *fleet) credential(i int) types.NamespacedName {
	return types.NamespacedName{Namespace: f.namespace(i), Name: clientID(f.name, i)}
}
func (f *fleet) clientSecret(i int) types.NamespacedName {
	return types.NamespacedName{Namespace: f.namespace(i), Name: clientID(f.name, i) + "-client"}
}
func (f *fleet) target(i int) types.NamespacedName {
	return types.NamespacedName{Namespace: f.namespace(i), Name: clientID(f.name, i) + "-token"}
}

// prepare creates everything but the credentials.
func (f *fleet) prepare(ctx context.Context) error {
	if err := f.endpoint.register(ctx, f.name, f.size); err != nil {
		return err
	}
	for i := range f.namespaces {
		namespace := &corev1.Namespace{}
		namespace.Name = f.namespace(i)
		if err := f.admin.Create(ctx, namespace); err != nil {
			return fmt.Errorf("create a namespace: %w", err)
		}
	}
	return each(ctx, f.size, func(ctx context.Context, i int) error {
		secret := &corev1.Secret{ObjectMeta: metaOf(f.clientSecret(i))}
		secret.Annotations = map[string]string{v1alpha1.AllowedHostsAnnotation: f.endpoint.Host}
		secret.StringData = map[string]string{"client-id": clientID(f.name, i), "client-secret": secretOf(clientID(f.name, i), 1), "ca.crt": string(f.endpoint.CABundle)}
		return f.admin.Create(ctx, secret)
	})
}

// create creates the credentials.
func (f *fleet) create(ctx context.Context) error {
	return each(ctx, f.size, func(ctx context.Context, i int) error { return f.admin.Create(ctx, f.object(i)) })
}

func (f *fleet) object(i int) *v1alpha1.CDPCredential {
	return &v1alpha1.CDPCredential{ObjectMeta: metaOf(f.credential(i)), Spec: v1alpha1.CDPCredentialSpec{
		Provider:        v1alpha1.Provider{OAuth2: &v1alpha1.OAuth2{TokenURL: v1alpha1.HTTPSURL(f.endpoint.TokenURL), AuthMethod: "ClientSecretPost"}},
		ClientSecretRef: v1alpha1.ClientSecretReference{Name: f.clientSecret(i).Name},
		Target:          v1alpha1.Target{Name: f.target(i).Name},
	}}
}

// annotate puts an annotation on every credential.
func (f *fleet) annotate(ctx context.Context) error {
	return each(ctx, f.size, func(ctx context.Context, i int) error {
		obj := &v1alpha1.CDPCredential{ObjectMeta: metaOf(f.credential(i))}
		return f.admin.Patch(ctx, obj, client.RawPatch(types.MergePatchType, []byte(`{"metadata":{"annotations":{"example.com/churn":"1"}}}`)))
	})
}

// rotate changes the value of every client Secret.
func (f *fleet) rotate(ctx context.Context) error {
	return each(ctx, f.size, func(ctx context.Context, i int) error {
		secret := &corev1.Secret{ObjectMeta: metaOf(f.clientSecret(i))}
		patch := fmt.Appendf(nil, `{"stringData":{"client-secret":%q}}`, secretOf(clientID(f.name, i), 2))
		return f.admin.Patch(ctx, secret, client.RawPatch(types.MergePatchType, patch))
	})
}

// deleteTargets deletes the targets of the first n credentials.
func (f *fleet) deleteTargets(ctx context.Context, n int) error {
	return each(ctx, n, func(ctx context.Context, i int) error {
		return f.admin.Delete(ctx, &corev1.Secret{ObjectMeta: metaOf(f.target(i))})
	})
}

// remove deletes all objects of the fleet but its namespaces. Deleting a thousand objects may exceed the API server's timeout; the next request
// deletes the rest.
func (f *fleet) remove(ctx context.Context) error {
	return each(ctx, f.namespaces, func(ctx context.Context, i int) error {
		var err error
		for range 10 {
			err = errors.Join(
				f.admin.DeleteAllOf(ctx, &v1alpha1.CDPCredential{}, client.InNamespace(f.namespace(i))),
				f.admin.DeleteAllOf(ctx, &corev1.Secret{}, client.InNamespace(f.namespace(i))))
			if err == nil || ctx.Err() != nil {
				return err
			}
		}
		return fmt.Errorf("remove the objects of %s: %w", f.namespace(i), err)
	})
}

// createUnrelated creates Secrets that have nothing to do with the operator.
func createUnrelated(ctx context.Context, clientset kubernetes.Interface, n int) error {
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "unrelated"}}
	if _, err := clientset.CoreV1().Namespaces().Create(ctx, namespace, metav1.CreateOptions{}); err != nil {
		return fmt.Errorf("create a namespace: %w", err)
	}
	data := make([]byte, unrelatedSize)
	if _, err := rand.Read(data); err != nil {
		return err
	}
	return each(ctx, n, func(ctx context.Context, i int) error {
		secret := &corev1.Secret{ObjectMeta: metaOf(types.NamespacedName{Namespace: namespace.Name, Name: clientID("unrelated", i)})}
		secret.Labels = map[string]string{"app.kubernetes.io/name": "something", "app.kubernetes.io/managed-by": "somebody"}
		secret.Data = map[string][]byte{"data": data}
		_, err := clientset.CoreV1().Secrets(namespace.Name).Create(ctx, secret, metav1.CreateOptions{})
		return err
	})
}

func metaOf(name types.NamespacedName) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: name.Namespace, Name: name.Name}
}

// workers is the number of objects handled at a time, by the bare loop and by the bench itself. The operator has as many workers.
const workers = 32

// each calls do for 0 to n-1 with several workers, until the first error.
func each(ctx context.Context, n int, do func(context.Context, int) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var next atomic.Int64
	var all sync.WaitGroup
	for range workers {
		all.Go(func() {
			for i := int(next.Add(1)) - 1; i < n && ctx.Err() == nil; i = int(next.Add(1)) - 1 {
				if err := do(ctx, i); err != nil {
					cancel(fmt.Errorf("number %d: %w", i, err))
				}
			}
		})
	}
	all.Wait()
	return context.Cause(ctx)
}
