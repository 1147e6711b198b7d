// SPDX-License-Identifier: Apache-2.0

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

// secretWatcher keeps what a consumer sees of all Secrets, also without an API server: a mounted volume does not disappear then, either.
type secretWatcher struct {
	clientset *kubernetes.Clientset

	mu      sync.Mutex
	secrets map[string]*corev1.Secret // by namespace/name
	// shown are the tokens that each Secret has had, in order.
	shown map[string][]showing
	// written counts the observed changes of each Secret.
	written map[string]int
}

type showing struct {
	at    time.Time
	token string
}

func newSecretWatcher(clientset *kubernetes.Clientset) *secretWatcher {
	return &secretWatcher{clientset: clientset, secrets: map[string]*corev1.Secret{}, shown: map[string][]showing{}, written: map[string]int{}}
}

// watch watches until ctx ends. It is no informer, because that one's backoff after an outage would make this consumer slower than any that matters.
func (w *secretWatcher) watch(ctx context.Context) {
	for ctx.Err() == nil {
		w.look(ctx)
		pause(ctx, 100*time.Millisecond)
	}
}

// look lists all Secrets and watches them until something fails.
func (w *secretWatcher) look(ctx context.Context) {
	list, err := w.clientset.CoreV1().Secrets("").List(ctx, metav1.ListOptions{})
	if err != nil {
		return
	}
	w.replace(list.Items)
	follow, err := w.clientset.CoreV1().Secrets("").Watch(ctx, metav1.ListOptions{ResourceVersion: list.ResourceVersion})
	if err != nil {
		return
	}
	defer follow.Stop()
	for event := range follow.ResultChan() {
		secret, ok := event.Object.(*corev1.Secret)
		if !ok {
			return // an error, for example because the list is too old
		}
		w.see(event.Type, secret)
	}
}

func (w *secretWatcher) replace(items []corev1.Secret) {
	there := map[string]bool{}
	for i := range items {
		there[items[i].Namespace+"/"+items[i].Name] = true
		w.see(watch.Modified, &items[i])
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for name := range w.secrets {
		if !there[name] {
			delete(w.secrets, name)
		}
	}
}

func (w *secretWatcher) see(kind watch.EventType, secret *corev1.Secret) {
	name := secret.Namespace + "/" + secret.Name
	w.mu.Lock()
	defer w.mu.Unlock()
	if kind == watch.Deleted {
		delete(w.secrets, name)
		return
	}
	if old := w.secrets[name]; old == nil || old.ResourceVersion != secret.ResourceVersion {
		w.written[name]++
	}
	w.secrets[name] = secret
	token := string(secret.Data["token"])
	if shown := w.shown[name]; token != "" && (len(shown) == 0 || shown[len(shown)-1].token != token) {
		w.shown[name] = append(shown, showing{time.Now(), token})
	}
}

// secret returns a Secret as a consumer has it, nil if there is none. It must not be modified.
func (w *secretWatcher) secret(namespace, name string) *corev1.Secret {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.secrets[namespace+"/"+name]
}

// showings returns the tokens that a Secret has had.
func (w *secretWatcher) showings(namespace, name string) []showing {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.shown[namespace+"/"+name])
}

// pause waits for d, or until ctx ends.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
