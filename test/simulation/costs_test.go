package simulation

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// TestCosts counts the requests of the commonest cases, in which nothing goes wrong: one more of each object is thousands more.
func TestCosts(t *testing.T) {
	const (
		read, create, write = "get Secret obj-client-a", "create Secret obj-token", "patch Secret obj-token"
		report, ask         = "patch status", "dry-run create Secret obj-token"
	)
	for _, tc := range []struct {
		name string
		do   func(w *world, o *object)
		want []string
	}{
		{"a new object", func(_ *world, o *object) { o.apply("oauth2") }, []string{read, create, report}},
		{"an object that was there before the process", func(w *world, o *object) {
			w.replicas[0].kill()
			o.apply("oauth2")
		}, []string{read, create, report}},
		{"a renewal", func(w *world, o *object) {
			o.apply("oauth2")
			w.runFor(time.Minute)
			w.tell("BEGIN")
			w.runFor(time.Hour)
		}, []string{read, write, report}},
		{"a restart", func(w *world, o *object) {
			o.apply("oauth2")
			w.runFor(time.Minute)
			w.tell("BEGIN")
			w.replicas[0].kill()
		}, nil},
		{"a client Secret that is deleted", func(w *world, o *object) {
			o.apply("oauth2")
			w.runFor(time.Minute)
			w.tell("BEGIN")
			w.api.setSecret(nil, o.secret(o.clientSecretNames()[0]), nil)
		}, []string{ask, "get CDPCredential obj", "get Secret obj-token", read, report}}, // what is so bad is made sure of
		{"a spec that cannot be served", func(w *world, o *object) {
			o.apply("oauth2")
			w.runFor(time.Minute)
			w.tell("BEGIN")
			o.edit(func(s *v1alpha1.CDPCredentialSpec) { s.Provider.OAuth2.TokenURL = "https://0x7f000001/" })
		}, []string{report}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var requests []string
			w, o := plainWorld(newWiring(t), func(line string) {
				t.Log(line)
				_, what, _ := strings.Cut(line, ": obj: ")
				what, _, _ = strings.Cut(what, ": ")
				switch verb, _, _ := strings.Cut(what, " "); verb {
				case "get", "create", "dry-run", "patch", "delete":
					requests = append(requests, what)
				}
				if strings.Contains(line, "BEGIN") {
					requests = nil
				}
			})
			broken := w.watched(func() {
				o.putClientSecret(o.clientSecretNames()[0]) // which the cache shows before the object
				w.startReplica(0)
				w.runFor(time.Second)
				tc.do(w, o)
				w.runFor(time.Minute)
			})
			if broken != nil {
				t.Error(broken)
			}
			if diff := cmp.Diff(tc.want, requests); diff != "" {
				t.Error(diff)
			}
		})
	}
}
