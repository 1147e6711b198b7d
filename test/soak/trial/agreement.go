// SPDX-License-Identifier: Apache-2.0

package trial

import (
	"context"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// agreement records when status and target disagreed.
type agreement struct {
	watcher  *secretWatcher
	consumer *consumer
	admin    client.WithWatch
	members  []*member

	mu       sync.Mutex
	objects  map[string]*v1alpha1.CDPCredential
	open     map[*member]*gap
	disputes []*gap
}

func newAgreement(w *secretWatcher, c *consumer, admin client.WithWatch, members []*member) *agreement {
	return &agreement{watcher: w, consumer: c, admin: admin, members: members, objects: map[string]*v1alpha1.CDPCredential{}, open: map[*member]*gap{}}
}

// watch watches the objects until ctx ends.
func (a *agreement) watch(ctx context.Context) {
	for ctx.Err() == nil {
		a.look(ctx)
		pause(ctx, 100*time.Millisecond)
	}
}

func (a *agreement) look(ctx context.Context) {
	list := &v1alpha1.CDPCredentialList{}
	if err := a.admin.List(ctx, list); err != nil {
		return
	}
	for i := range list.Items {
		a.see(&list.Items[i])
	}
	follow, err := a.admin.Watch(ctx, list, &client.ListOptions{Raw: &metav1.ListOptions{ResourceVersion: list.ResourceVersion}})
	if err != nil {
		return
	}
	defer follow.Stop()
	for event := range follow.ResultChan() {
		obj, ok := event.Object.(*v1alpha1.CDPCredential)
		if !ok {
			return
		}
		if event.Type != watch.Deleted {
			a.see(obj)
		}
	}
}

func (a *agreement) see(obj *v1alpha1.CDPCredential) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.objects[obj.Namespace+"/"+obj.Name] = obj
}

// compare compares all objects periodically, until ctx ends.
func (a *agreement) compare(ctx context.Context) {
	for ctx.Err() == nil {
		pause(ctx, 200*time.Millisecond)
		for _, m := range a.members {
			a.found(m, a.agrees(m), time.Now())
		}
	}
}

// agrees reports whether status shows the expiry of the token in the target. A target that users broke counts as agreeing.
func (a *agreement) agrees(m *member) bool {
	secret := a.watcher.secret(m.namespace, m.target())
	a.mu.Lock()
	obj := a.objects[m.String()]
	a.mu.Unlock()
	if secret == nil || obj == nil || !a.consumer.whole(m) {
		return true
	}
	said := obj.Status.TokenExpirationTime
	return said != nil && said.UTC().Format(time.RFC3339) == secret.Annotations[v1alpha1.ExpiresAtAnnotation]
}

func (a *agreement) found(m *member, agrees bool, now time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch g := a.open[m]; {
	case agrees && g != nil:
		g.to = now
		delete(a.open, m)
	case !agrees && g == nil:
		g = &gap{member: m, from: now, to: now}
		a.open[m], a.disputes = g, append(a.disputes, g)
	case !agrees:
		g.to = now
	}
}
