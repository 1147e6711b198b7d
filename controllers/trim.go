package controllers

import (
	"bytes"
	"maps"
	"sync"
	"unique"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/cache"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// lastApplied holds a copy of the whole object as kubectl applied it: for a Secret its data.
const lastApplied = "kubectl.kubernetes.io/last-applied-configuration"

// TrimMetadata is a cache transform for the metadata of Secrets: it keeps what passes read, as a cluster may have many more Secrets than are
// of interest here. Of a Secret that is not the target of anybody that is its version and its consent. Above all it drops kubectl's copy of
// what was applied, in which a Secret's data stands in clear.
func TrimMetadata(obj any) (any, error) {
	accessor, err := meta.Accessor(obj)
	if err != nil {
		return obj, nil //nolint:nilerr // it is no object but what the cache knows of a deleted one
	}
	accessor.SetManagedFields(nil)
	accessor.SetFinalizers(nil)
	accessor.SetGenerateName("")
	accessor.SetCreationTimestamp(metav1.Time{})
	annotations := accessor.GetAnnotations()
	if annotations[v1alpha1.CredentialAnnotation] == "" {
		accessor.SetLabels(nil)
		accessor.SetOwnerReferences(nil)
		accessor.SetAnnotations(only(annotations, v1alpha1.AllowedHostsAnnotation))
		accessor.SetNamespace(shared(accessor.GetNamespace()))
		return obj, nil
	}
	if annotations[lastApplied] != "" {
		delete(annotations, lastApplied)
	}
	accessor.SetAnnotations(annotations)
	accessor.SetLabels(sharedMap(accessor.GetLabels()))
	owners := accessor.GetOwnerReferences()
	for i := range owners {
		owners[i].APIVersion, owners[i].Kind = shared(owners[i].APIVersion), shared(owners[i].Kind)
	}
	return obj, nil
}

// TrimCredentials makes a cache transform for CDPCredentials: of their annotations only the request for a refresh is read, and what many of them
// have in common is kept once.
func TrimCredentials() cache.TransformFunc {
	var bundles sharedBundles
	return func(obj any) (any, error) {
		credential, ok := obj.(*v1alpha1.CDPCredential)
		if !ok {
			return obj, nil
		}
		credential.ManagedFields = nil
		credential.Labels = nil
		credential.Annotations = only(credential.Annotations, v1alpha1.RefreshRequestedAtAnnotation)
		conditions := credential.Status.Conditions
		for i := range conditions {
			c := &conditions[i]
			c.Type, c.Status, c.Reason, c.Message = shared(c.Type), shared(c.Status), shared(c.Reason), shared(c.Message)
		}
		if tls := credential.Spec.TLS; tls != nil {
			tls.CABundle = bundles.one(tls.CABundle)
		}
		return credential, nil
	}
}

// only is a map with that key alone, if it is there at all.
func only(annotations map[string]string, key string) map[string]string {
	value, there := annotations[key]
	if !there {
		return nil
	}
	return map[string]string{shared(key): shared(value)}
}

// sharedMap is labels that nearly all targets have in common, once; other labels as they are.
func sharedMap(labels map[string]string) map[string]string {
	if maps.Equal(labels, ourLabels) {
		return ourLabels
	}
	return labels
}

// ourLabels are those of a target whose object asks for no others. Nobody writes to what is in a cache.
var ourLabels = map[string]string{v1alpha1.ManagedByLabel: v1alpha1.ManagedBy}

// shared is one copy of a text that thousands of objects have in common.
func shared[T ~string](text T) T { return T(unique.Make(string(text)).Value()) }

// sharedBundles keeps one copy of each CA bundle: an organization has one, and a thousand objects that name it.
type sharedBundles struct {
	mu    sync.Mutex
	known [][]byte
}

// mostBundles is how many are kept once; there may be more, each of which then is with its object alone.
const mostBundles = 64

func (b *sharedBundles) one(bundle []byte) []byte {
	if len(bundle) == 0 {
		return bundle
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for i, known := range b.known {
		if bytes.Equal(known, bundle) {
			b.known[0], b.known[i] = known, b.known[0] // the one that is asked for again and again is found first
			return known
		}
	}
	b.known = append(b.known[:min(len(b.known), mostBundles-1)], bundle)
	return bundle
}
