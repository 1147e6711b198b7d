// SPDX-License-Identifier: Apache-2.0

package simulation

import (
	"fmt"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// pairHistories are attempts to learn whether two Secrets hold the same value without being allowed to read them. In one world all values are equal,
// in the other no two are.
var pairHistories = []struct {
	name string
	// kinds are the providers of the objects, each of which has its own client Secret and target.
	kinds []string
	do    func(w *pairWorld)
}{
	{"another client Secret", []string{"oauth2"}, func(w *pairWorld) { w.take(0, "s1") }},
	{"another client Secret of basic, with a workload that is restarted", []string{"basic"}, func(w *pairWorld) {
		w.objects[0].edit(func(s *v1alpha1.CDPCredentialSpec) {
			s.RolloutRestart = []v1alpha1.RolloutRestart{{Kind: "Deployment", Name: "etl"}}
		})
		w.runFor(2 * time.Minute)
		w.take(0, "s1")
	}},
	{"other keys", []string{"oauth2"}, func(w *pairWorld) {
		w.objects[0].edit(func(s *v1alpha1.CDPCredentialSpec) {
			s.ClientSecretRef.Keys = &v1alpha1.ClientSecretKeys{ClientSecret: "alt-secret"}
		})
	}},
	{"another client Secret while the last one is throttled", []string{"oauth2"}, func(w *pairWorld) {
		w.vendors.hosts[oauthHost].trouble = throttlingRetryAfter
		refresh(w.objects[0], "now")
		w.runFor(12 * time.Second)
		w.take(0, "s1")
	}},
	{"another client Secret while a token waits to be written", []string{"oauth2"}, func(w *pairWorld) {
		w.apiFault = apiFault{denied: []string{"patch Secret"}, denial: apierrors.NewInternalError(fmt.Errorf("etcd"))}
		refresh(w.objects[0], "now")
		w.runFor(12 * time.Second)
		w.take(0, "s1")
	}},
	{"another client Secret of the object whose target is a client Secret", []string{"basic", "oauth2"}, func(w *pairWorld) {
		w.chain("username", "password")
		w.take(0, "s1")
	}},
	{"another client Secret of the object whose target is a client Secret that is refused", []string{"basic", "oauth2"}, func(w *pairWorld) {
		w.vendors.hosts[oauthHost].trouble = unauthorized
		w.chain("username", "password")
		w.take(0, "s1")
	}},
}

// take lets an object use another client Secret.
func (w *pairWorld) take(object int, secret string) {
	w.objects[object].edit(func(s *v1alpha1.CDPCredentialSpec) { s.ClientSecretRef.Name = secret })
	w.runFor(time.Minute)
}

// chain lets the second object use the first one's target as its client Secret; that Secret consents.
func (w *pairWorld) chain(id, secret v1alpha1.SecretKey) {
	w.editIfThere(w.objects[0].secret(pairTargets[0]), func(s *corev1.Secret) { setAnnotation(s, v1alpha1.AllowedHostsAnnotation, consent) })
	w.objects[1].edit(func(s *v1alpha1.CDPCredentialSpec) {
		s.ClientSecretRef = v1alpha1.ClientSecretReference{Name: pairTargets[0], Keys: &v1alpha1.ClientSecretKeys{ClientID: id, ClientSecret: secret}}
	})
	w.runFor(time.Minute)
}

func TestPairHistoriesDifferInNothingVisible(t *testing.T) {
	wires := newWiring(t)
	for _, h := range pairHistories {
		t.Run(h.name, func(t *testing.T) {
			seen := [2]*observer{}
			for i := range seen {
				w, drawn := newPairWorld(1, uint64(i), wires), 0
				w.story = func(line string) { t.Log(line) }
				w.lifetime = time.Hour
				w.distinct = func() string { drawn += i; return fmt.Sprintf("value-%d", drawn) }
				w.watching.doing = h.name
				w.objects = w.objects[:len(h.kinds)]
				broken := w.watched(func() {
					w.putClientSecrets()
					for n, kind := range h.kinds {
						w.api.createCredential(w.objects[n].name, &v1alpha1.CDPCredential{Spec: v1alpha1.CDPCredentialSpec{
							Provider: w.provider(kind), ClientSecretRef: v1alpha1.ClientSecretReference{Name: clientSecrets[n]}, Target: v1alpha1.Target{Name: pairTargets[n]},
						}})
					}
					w.start()
					w.runFor(time.Minute)
					h.do(w)
					w.runFor(time.Minute)
					w.watching.scrape(w.registry)
				})
				if broken != nil {
					t.Fatal(broken)
				}
				seen[i] = w.watching
			}
			if diff := difference(seen[0], seen[1]); diff != "" {
				t.Error(diff)
			}
		})
	}
}
