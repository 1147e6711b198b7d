package trial

import (
	"context"
	"slices"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"
)

// An eye keeps what a consumer sees of all Secrets, also while there is no API server: a mounted volume does not go away either.
type eye struct {
	clientset *kubernetes.Clientset

	mu      sync.Mutex
	secrets map[string]*corev1.Secret // by namespace/name
	// shown are the tokens that each Secret has held, in their order.
	shown map[string][]showing
	// written counts how often each Secret was seen to change.
	written map[string]int
}

type showing struct {
	at    time.Time
	token string
}

func newEye(clientset *kubernetes.Clientset) *eye {
	return &eye{clientset: clientset, secrets: map[string]*corev1.Secret{}, shown: map[string][]showing{}, written: map[string]int{}}
}

// watch looks until ctx ends. An informer's backoff after an outage would make this consumer slower than any that matters.
func (e *eye) watch(ctx context.Context) {
	for ctx.Err() == nil {
		e.look(ctx)
		pause(ctx, 100*time.Millisecond)
	}
}

// look lists all Secrets and follows their changes until something fails.
func (e *eye) look(ctx context.Context) {
	list, err := e.clientset.CoreV1().Secrets("").List(ctx, metav1.ListOptions{})
	if err != nil {
		return
	}
	e.replace(list.Items)
	follow, err := e.clientset.CoreV1().Secrets("").Watch(ctx, metav1.ListOptions{ResourceVersion: list.ResourceVersion})
	if err != nil {
		return
	}
	defer follow.Stop()
	for event := range follow.ResultChan() {
		secret, ok := event.Object.(*corev1.Secret)
		if !ok {
			return // an error: the list has become too old, or the like
		}
		e.see(event.Type, secret)
	}
}

func (e *eye) replace(items []corev1.Secret) {
	there := map[string]bool{}
	for i := range items {
		there[items[i].Namespace+"/"+items[i].Name] = true
		e.see(watch.Modified, &items[i])
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	for name := range e.secrets {
		if !there[name] {
			delete(e.secrets, name)
		}
	}
}

func (e *eye) see(kind watch.EventType, secret *corev1.Secret) {
	name := secret.Namespace + "/" + secret.Name
	e.mu.Lock()
	defer e.mu.Unlock()
	if kind == watch.Deleted {
		delete(e.secrets, name)
		return
	}
	if old := e.secrets[name]; old == nil || old.ResourceVersion != secret.ResourceVersion {
		e.written[name]++
	}
	e.secrets[name] = secret
	token := string(secret.Data["token"])
	if shown := e.shown[name]; token != "" && (len(shown) == 0 || shown[len(shown)-1].token != token) {
		e.shown[name] = append(shown, showing{time.Now(), token})
	}
}

// secret is a Secret as a consumer has it; nil: there is none. It must not be changed.
func (e *eye) secret(namespace, name string) *corev1.Secret {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.secrets[namespace+"/"+name]
}

// showings are the tokens that a Secret has held.
func (e *eye) showings(namespace, name string) []showing {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.shown[namespace+"/"+name])
}

// pause waits, but not longer than ctx.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
