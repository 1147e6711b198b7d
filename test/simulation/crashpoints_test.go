// SPDX-License-Identifier: Apache-2.0

package simulation

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// kinds are the kinds of reconciles, each with what triggers it.
var kinds = []struct {
	name, provider string
	// before, if not nil, runs once the object has its first token; trigger runs 30 s later. A nil trigger means the first issue.
	before, trigger func(w *world, o *object)
}{
	{"first issue", "oauth2", nil, nil},
	{"renewal", "oauth2", nil, untilRenewal},
	{"renewal of a JWT", "apsis", nil, untilRenewal},
	{"first renewal of a process", "oauth2", func(w *world, _ *object) { w.leader().kill() }, untilRenewal},
	{"refresh request", "oauth2", nil, func(w *world, o *object) {
		w.api.editCredential(o.name, func(obj *v1alpha1.CDPCredential) {
			obj.Annotations = map[string]string{v1alpha1.RefreshRequestedAtAnnotation: "now"}
		})
	}},
	{"other scopes", "experiture", nil, func(_ *world, o *object) {
		o.edit(func(s *v1alpha1.CDPCredentialSpec) { s.Provider.Experiture.Scopes = []v1alpha1.Scope{"write"} })
	}},
	{"client secret rotated", "auth0", nil, func(w *world, o *object) {
		w.vendors.secrets[o.clientID("a")] = "s1"
		o.putClientSecret(o.clientSecretNames()[0])
	}},
	{"token edited", "oauth2", nil, func(_ *world, o *object) {
		o.editTarget(func(s *corev1.Secret) { s.Data["token"] = []byte("mine") })
	}},
	{"target deleted", "oauth2", nil, func(w *world, o *object) { w.api.setSecret(nil, o.secret(o.get().Spec.Target.Name), nil) }},
	{"rewrite", "oauth2", nil, func(_ *world, o *object) {
		o.edit(func(s *v1alpha1.CDPCredentialSpec) {
			s.Target.Labels = map[string]v1alpha1.LabelValue{"team": "a"}
			s.Target.Data = map[string]v1alpha1.DataTemplate{"header": "Bearer {{ .token }}"}
		})
	}},
	{"another key restored", "algonomy", nil, func(_ *world, o *object) {
		o.editTarget(func(s *corev1.Secret) { s.Data["tenant_hash"] = []byte("mine") })
	}},
	{"rename", "oauth2", nil, rename},
	{"rename with Retain", "oauth2", func(_ *world, o *object) {
		o.edit(func(s *v1alpha1.CDPCredentialSpec) { s.Target.DeletionPolicy = v1alpha1.DeletionPolicyRetain })
	}, rename},
	{"Retain and rename at once", "oauth2", nil, func(w *world, o *object) {
		o.edit(func(s *v1alpha1.CDPCredentialSpec) { s.Target.DeletionPolicy = v1alpha1.DeletionPolicyRetain })
		rename(w, o)
	}},
	{"update of a token's resources", "algonomy", nil, otherResources},
	{"update that is refused", "algonomy", func(w *world, o *object) { delete(w.vendors.tokens, w.judge.tokenOf(o.target())) }, otherResources},
	{"handed over", "oauth2", func(w *world, o *object) {
		secret := &corev1.Secret{Type: corev1.SecretTypeOpaque, Data: map[string][]byte{"foreign": []byte("mine")}}
		if _, err := w.api.createSecret(nil, o.secret("given"), secret); err != nil {
			panic(err)
		}
		o.edit(func(s *v1alpha1.CDPCredentialSpec) { s.Target.Name = "given" })
	}, func(_ *world, o *object) {
		o.editTarget(func(s *corev1.Secret) {
			s.Annotations = map[string]string{v1alpha1.CredentialAnnotation: o.name.Name}
		})
	}},
	{"basic", "basic", nil, func(w *world, o *object) {
		w.vendors.secrets[o.clientID("a")] = "s1"
		o.putClientSecret(o.clientSecretNames()[0])
	}},
	{"another provider", "basic", nil, func(w *world, o *object) {
		o.edit(func(s *v1alpha1.CDPCredentialSpec) { s.Provider = w.provider("oauth2") })
	}},
	{"credentials rejected", "oauth2", inTrouble(oauthHost, unauthorized), untilRenewal},
	{"throttled", "oauth2", inTrouble(oauthHost, throttlingRetryAfter), untilRenewal},
	{"unavailable", "oauth2", inTrouble(oauthHost, serverErrorRetryAfter), untilRenewal},
	{"client Secret deleted", "oauth2", nil, func(w *world, o *object) { w.api.setSecret(nil, o.secret(o.clientSecretNames()[0]), nil) }},
	{"bad template", "oauth2", nil, func(_ *world, o *object) {
		o.edit(func(s *v1alpha1.CDPCredentialSpec) {
			s.Target.Data = map[string]v1alpha1.DataTemplate{"header": "{{ .nothing"}
		})
	}},
	{"budget spent", "oauth2", nil, func(w *world, o *object) {
		o.edit(func(s *v1alpha1.CDPCredentialSpec) { s.Refresh = &v1alpha1.Refresh{MaxPerDay: new(int32(1))} })
		untilRenewal(w, o)
	}},
	{"suspended", "oauth2", nil, func(_ *world, o *object) { o.edit(func(s *v1alpha1.CDPCredentialSpec) { s.Suspend = true }) }},
	{"resumed", "oauth2", func(_ *world, o *object) { o.edit(func(s *v1alpha1.CDPCredentialSpec) { s.Suspend = true }) }, func(_ *world, o *object) {
		o.edit(func(s *v1alpha1.CDPCredentialSpec) { s.Suspend = false })
	}},
	{"expiry while suspended", "oauth2", func(_ *world, o *object) { o.edit(func(s *v1alpha1.CDPCredentialSpec) { s.Suspend = true }) }, func(w *world, _ *object) {
		w.runTo(time.Hour - time.Second)
	}},
	{"verify", "oauth2", nil, verified},
	{"verify says 401 once", "oauth2", nil, func(w *world, o *object) {
		for _, t := range w.vendors.tokens {
			t.revoked = true
		}
		verified(w, o)
	}},
	{"verify says 401 again", "oauth2", inTrouble(apiHost, rejectingTokens), verified},
	{"verify says 403", "oauth2", inTrouble(apiHost, forbidding), verified},
	{"status lost", "oauth2", nil, func(w *world, o *object) {
		w.api.editCredential(o.name, func(obj *v1alpha1.CDPCredential) { obj.Status = v1alpha1.CDPCredentialStatus{} })
		w.judge.statusLost(o)
	}},
	{"object applied again", "oauth2", nil, func(w *world, o *object) {
		was := o.get()
		w.api.deleteCredential(o.name)
		w.api.createCredential(o.name, &v1alpha1.CDPCredential{Spec: was.Spec})
	}},
}

// untilRenewal advances to shortly before the renewal.
func untilRenewal(w *world, o *object) {
	w.runTo(w.clockAt(o.get().Status.NextRefreshTime) - 2*time.Second)
}

func (w *world) clockAt(t *metav1.Time) time.Duration { return t.Sub(w.epoch.Add(w.offset)) }

func rename(_ *world, o *object) {
	o.edit(func(s *v1alpha1.CDPCredentialSpec) { s.Target.Name = "renamed" })
}

func otherResources(_ *world, o *object) {
	o.edit(func(s *v1alpha1.CDPCredentialSpec) { s.Provider.Algonomy.Resources = []v1alpha1.Scope{"segments"} })
}

func verified(_ *world, o *object) {
	o.edit(func(s *v1alpha1.CDPCredentialSpec) { s.Verify = &v1alpha1.Verify{URL: "https://" + apiHost + "/v1"} })
}

func inTrouble(name string, what trouble) func(*world, *object) {
	return func(w *world, _ *object) { w.vendors.hosts[name].trouble = what }
}

// plainWorld returns a world in which everything works and nothing happens by itself.
func plainWorld(wires *wiring, story func(string)) (*world, *object) {
	w := newWorld(1, wires)
	w.story = story
	for _, name := range hostNames {
		w.vendors.hosts[name] = &host{name: name, lifetime: time.Hour, opaque: name != apsisHost, dated: true, steady: true, kept: map[string]*token{}, troubled: map[string]trouble{}}
	}
	o := &object{w: w, name: types.NamespacedName{Namespace: "a", Name: "obj"}}
	w.judge.objects = []*object{o}
	return w, o
}

// forTokens counts the exchanges that requested a new token.
func (s *stats) forTokens() int { return s.exchanges - s.updates }

// TestCrashAtEachPointCostsAtMostOneToken kills the process at every point of every kind of reconcile: before and after each request to the API
// server or a vendor, and while a write or an exchange is in flight. The next process starts with a current cache or with one that is a minute old.
// In the end everything must be as without the crash, for at most one more token.
func TestCrashAtEachPointCostsAtMostOneToken(t *testing.T) {
	wires := newWiring(t)
	points := 0
	for _, kind := range kinds {
		t.Run(kind.name, func(t *testing.T) {
			const never = 1 << 30
			run := func(fuse int, behind time.Duration, story func(string)) (w *world, o *object, left int, broken *violation) {
				w, o = plainWorld(wires, story)
				broken = w.watched(func() {
					r := w.startReplica(0)
					if kind.trigger != nil {
						o.apply(kind.provider)
						w.runFor(30 * time.Second)
						if kind.before != nil {
							kind.before(w, o)
							w.runFor(30 * time.Second)
						}
						r = w.leader()
						w.tell("TRIGGER")
						r.fuse = fuse
						kind.trigger(w, o)
					} else {
						r.fuse = fuse
						o.apply(kind.provider)
					}
					w.startsBehind = behind
					w.runFor(3 * time.Minute)
					left = r.fuse
				})
				return w, o, left, broken
			}
			well, o, left, broken := run(never, 0, nil)
			if broken != nil {
				t.Fatalf("without a crash: %v", broken)
			}
			want := o.end()
			count := never - left
			if count == 0 {
				t.Fatal("no request was made")
			}
			points += count
			for fuse := 1; fuse <= count; fuse++ {
				for _, behind := range []time.Duration{0, time.Minute} {
					w, o, _, broken := run(fuse, behind, nil)
					extra := w.judge.stats.forTokens() - well.judge.stats.forTokens()
					if broken == nil && w.started == well.started {
						broken = &violation{invariant: "crash", detail: "the process was not killed"}
					}
					if broken == nil {
						if diff := cmp.Diff(want, o.end()); diff != "" {
							broken = &violation{invariant: "history", detail: diff}
						} else if extra > 1 {
							broken = &violation{invariant: "exchanges", detail: fmt.Sprintf("%d more tokens were requested, want at most one", extra)}
						}
					}
					if broken != nil {
						run(fuse, behind, func(line string) { t.Log(line) })
						t.Fatalf("killed at point %d of %d, restarted with a cache %s behind: %v", fuse, count, behind, broken)
					}
				}
			}
		})
	}
	t.Logf("%d kinds of reconciles, %d crash points, each with two restarts", len(kinds), points)
}
