package controllers

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/egress"
	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange"
	"github.com/cdpcredentials/cdp-credential-operator/internal/flow/flowtest"
	"github.com/cdpcredentials/cdp-credential-operator/internal/token"
)

// TestContract: of every provider, hosts and address can be read, each key that is needed is reported when it is missing, and what is issued, rewritten
// and found again by the next process is the same.
func TestContract(t *testing.T) {
	t.Parallel()
	for _, sample := range flowtest.Samples(t) {
		t.Run(sample.Name, func(t *testing.T) {
			t.Parallel()
			v := steady()
			provide(v, sample.Spec.Provider)
			if v.intentErr != nil {
				t.Fatal(v.intentErr)
			}
			if hosts := v.intent.flow.Hosts; len(hosts) > 0 {
				if _, err := egress.ParseHosts(strings.Join(hosts, ",")); err != nil {
					t.Errorf("hosts: %v", err)
				}
			}
			values := map[string]string{}
			for _, key := range v.intent.flow.Keys {
				values[key.Name] = "value-of-" + key.Field
			}
			checkMissingKeys(t, v, values)
			checkSameData(t, v, values)
		})
	}
}

func checkMissingKeys(t *testing.T, v *view, values map[string]string) {
	t.Helper()
	for _, key := range v.intent.flow.Keys {
		without := maps.Clone(values)
		delete(without, key.Name)
		_, err := v.intent.withClient(clientSecret(without))
		missing, ok := errors.AsType[*missingKeyError](err)
		if ok != !key.Optional || ok && (missing.key != key.Name || missing.field != key.Field) {
			t.Errorf("without the key %s: %v", key.Name, err)
		}
	}
}

func checkSameData(t *testing.T, v *view, values map[string]string) {
	t.Helper()
	v.obj.Spec.Target.Data = map[string]v1alpha1.DataTemplate{
		"line": `{{ .token }}|{{ .tokenType }}|{{ .expiresAt }}|{{ .clientID }}|{{ join "," .scopes }}|{{ toJson .headers }}`,
	}
	req, err := v.intent.withClient(clientSecret(values))
	if err != nil {
		t.Fatal(err)
	}
	r := &CDPCredentialReconciler{Rand: rand.Reader}
	issued, err := r.publicationOf(v, step{action: issue, cause: causeMissing}, req, exchange.Token{
		Value: "t0ken", Type: "Bearer", Life: token.Life{IssuedAt: v.now, ExpiresAt: v.now.Add(time.Hour)},
	})
	if err != nil {
		t.Fatal(err)
	}
	want, err := dataFor(v.obj, issued)
	if err != nil {
		t.Fatal(err)
	}
	issued.rec.Keys = sortedKeys(want)
	value := exchange.Secret(issued.rec.tokenIn(want))
	issued.rec.Token = issued.rec.seal([]byte(value))
	if !v.intent.flow.Exchanges() {
		value = issued.token.Value // credentials are never rewritten but issued again, which costs nothing
	}

	for name, rec := range map[string]record{"a rewrite": issued.rec, "a restart": readAgain(t, issued.rec)} {
		again := steady()
		provide(again, *v.obj.Spec.Provider.DeepCopy())
		again.obj.Spec.Target.Data = v.obj.Spec.Target.Data
		req, err := again.intent.withClient(clientSecret(values))
		if err != nil {
			t.Fatal(err)
		}
		if rec.Asked != again.intent.asked || rec.AskedRest != again.intent.askedRest || compareRequests(&rec, req) != same {
			t.Errorf("%s would ask for another token", name)
		}
		data, err := dataFor(again.obj, publicationOfHeld(req, rec, value))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(dataTexts(want), dataTexts(data)); diff != "" {
			t.Errorf("%s, -issued +got:\n%s", name, diff)
		}
	}
}

// readAgain is a record as the next process reads it in the target's annotation.
func readAgain(t *testing.T, rec record) record {
	t.Helper()
	written, err := json.Marshal(rec)
	if err != nil {
		t.Fatal(err)
	}
	read := anyRecord(string(written))
	if read == nil {
		t.Fatal("the record cannot be read again")
	}
	return *read
}
