// SPDX-License-Identifier: Apache-2.0

package simulation

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// An apiClient is a replica's client: it reads from the cache and writes to the API server. It has only what the operator uses; a forbidden call is a
// violation.
type apiClient struct {
	client.Client
	replica *replica
}

// Get reads from the cache and takes no time.
func (c *apiClient) Get(_ context.Context, name client.ObjectKey, obj client.Object, _ ...client.GetOption) error {
	p, cache := c.replica.w.running, &c.replica.cache
	switch into := obj.(type) {
	case *v1alpha1.CDPCredential:
		found, _ := cache.credentials.get(name)
		p.object = found
		if found == nil {
			return apierrors.NewNotFound(credentialResource, name.Name)
		}
		*into = *found.DeepCopy()
	case *metav1.PartialObjectMetadata:
		found, _ := cache.secrets.get(name)
		if found == nil {
			p.secrets[name] = ""
			return apierrors.NewNotFound(secretResource, name.Name)
		}
		p.secrets[name] = found.ResourceVersion
		*into = *found.DeepCopy()
	default:
		c.replica.w.violated("cache", "a complete %T was read through the cache", obj)
	}
	return nil
}

// List supports a single field selector.
func (c *apiClient) List(_ context.Context, list client.ObjectList, opts ...client.ListOption) error {
	options := (&client.ListOptions{}).ApplyOptions(opts)
	matches := func(client.Object) bool { return true }
	if options.FieldSelector != nil {
		want := options.FieldSelector.Requirements()[0]
		index := c.replica.w.wires.indexes[want.Field]
		matches = func(obj client.Object) bool { return slices.Contains(index(obj), want.Value) }
	}
	cache := &c.replica.cache
	switch into := list.(type) {
	case *v1alpha1.CDPCredentialList:
		for obj := range cache.credentials.in(options.Namespace) {
			if matches(obj) {
				into.Items = append(into.Items, *obj)
			}
		}
	case *metav1.PartialObjectMetadataList:
		for obj := range cache.secrets.in(options.Namespace) {
			if matches(obj) {
				into.Items = append(into.Items, *obj)
			}
		}
	}
	return nil
}

func (c *apiClient) Create(_ context.Context, obj client.Object, opts ...client.CreateOption) error {
	secret, p := obj.(*corev1.Secret), c.replica.w.running
	if options := (&client.CreateOptions{}).ApplyOptions(opts); len(options.DryRun) > 0 {
		return p.request("dry-run create Secret "+secret.Name, false, func() error {
			return c.replica.w.api.tryCreate(client.ObjectKeyFromObject(secret))
		})
	}
	return p.request("create Secret "+secret.Name, true, func() error {
		stored, err := c.replica.w.api.createSecret(p, client.ObjectKeyFromObject(secret), secret)
		if err == nil {
			*secret = *stored.DeepCopy()
		}
		return err
	})
}

func (c *apiClient) Patch(_ context.Context, obj client.Object, patch client.Patch, opts ...client.PatchOption) error {
	meta, p := obj.(*metav1.PartialObjectMetadata), c.replica.w.running
	body, err := bodyOf(obj, patch, types.MergePatchType)
	if err != nil {
		return err
	}
	if options := (&client.PatchOptions{}).ApplyOptions(opts); len(options.DryRun) > 0 {
		return p.request("dry-run patch Secret "+meta.Name, false, func() error {
			return c.replica.w.api.tryPatch(client.ObjectKeyFromObject(meta), body)
		})
	}
	return p.request("patch Secret "+meta.Name, true, func() error {
		stored, err := c.replica.w.api.patchSecret(p, client.ObjectKeyFromObject(meta), body)
		if err == nil {
			meta.ObjectMeta = *stored.ObjectMeta.DeepCopy()
		}
		return err
	})
}

func (c *apiClient) Delete(_ context.Context, obj client.Object, opts ...client.DeleteOption) error {
	meta, p := obj.(*metav1.PartialObjectMetadata), c.replica.w.running
	options := (&client.DeleteOptions{}).ApplyOptions(opts)
	return p.request("delete Secret "+meta.Name, true, func() error {
		return c.replica.w.api.deleteSecret(p, client.ObjectKeyFromObject(meta), options.Preconditions)
	})
}

func bodyOf(obj client.Object, patch client.Patch, want types.PatchType) ([]byte, error) {
	if patch.Type() != want {
		return nil, fmt.Errorf("use %s, not %s", want, patch.Type())
	}
	return patch.Data(obj)
}

func (c *apiClient) Status() client.SubResourceWriter { return statusClient{replica: c.replica} }

type statusClient struct {
	client.SubResourceWriter
	replica *replica
}

func (c statusClient) Patch(_ context.Context, obj client.Object, patch client.Patch, _ ...client.SubResourcePatchOption) error {
	credential, p := obj.(*v1alpha1.CDPCredential), c.replica.w.running
	body, err := bodyOf(obj, patch, types.JSONPatchType)
	if err != nil {
		return err
	}
	untold := p.replica.untold
	p.late, untold[p.object.UID] = untold[p.object.UID], true
	return p.request("patch status", true, func() error {
		stored, err := c.replica.w.api.patchStatus(p, client.ObjectKeyFromObject(credential), body)
		if err == nil {
			delete(untold, p.object.UID)
			*credential = *stored.DeepCopy()
		}
		return err
	})
}

// A liveReader reads from the API server.
type liveReader struct{ replica *replica }

func (l liveReader) Get(_ context.Context, name client.ObjectKey, obj client.Object, _ ...client.GetOption) error {
	p := l.replica.w.running
	if credential, ok := obj.(*v1alpha1.CDPCredential); ok {
		return p.request("get CDPCredential "+name.Name, false, func() error {
			found := l.replica.w.api.credentials[name]
			if found == nil {
				return apierrors.NewNotFound(credentialResource, name.Name)
			}
			p.object = found
			*credential = *found.DeepCopy()
			return nil
		})
	}
	secret := obj.(*corev1.Secret)
	return p.request("get Secret "+name.Name, false, func() error {
		found := l.replica.w.api.secrets[name]
		if found == nil {
			p.secrets[name] = ""
			return apierrors.NewNotFound(secretResource, name.Name)
		}
		p.secrets[name] = found.ResourceVersion
		*secret = *found.DeepCopy()
		return nil
	})
}

func (l liveReader) List(context.Context, client.ObjectList, ...client.ListOption) error {
	l.replica.w.violated("cost", "the API server was asked for a list")
	return nil
}

// An apiFault is how the API server, or the connection to it, fails.
type apiFault struct {
	// refused is the share of requests that fail without effect, lost the share whose response is lost.
	refused, lost float64
	// slow is the mean duration of a request.
	slow time.Duration
	// late is the mean delay of the response to a read, which shows the time at which it was made.
	late time.Duration
	// denied are the prefixes of requests that are refused with denial, as by admission, a quota or a missing right.
	denied []string
	denial error
}

// deny returns the refusal of a request, or nil.
func (f apiFault) deny(what string) error {
	what = strings.TrimPrefix(what, "dry-run ")
	if slices.ContainsFunc(f.denied, func(prefix string) bool { return strings.HasPrefix(what, prefix) }) {
		return f.denial
	}
	return nil
}

func (f apiFault) refuse(w *world) error {
	if f.refused == 0 || !w.maybe(f.refused) {
		return nil
	}
	return pick(w, []error{
		apierrors.NewServiceUnavailable("no leader"), apierrors.NewInternalError(fmt.Errorf("etcd")), apierrors.NewTooManyRequestsError("later"),
		apierrors.NewServerTimeout(secretResource, "patch", 1), fmt.Errorf("connect: refused"),
	})
}

func (f apiFault) lose(w *world) error {
	if f.lost == 0 || !w.maybe(f.lost) {
		return nil
	}
	return pick(w, []error{apierrors.NewTimeoutError("it took too long", 1), errLost})
}
