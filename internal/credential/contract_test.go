// SPDX-License-Identifier: Apache-2.0

package credential

import (
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
			s := steady()
			provide(s, sample.Spec.Provider)
			if s.DesiredErr != nil {
				t.Fatal(s.DesiredErr)
			}
			if hosts := s.Desired.Flow.Hosts; len(hosts) > 0 {
				if _, err := egress.ParseHosts(strings.Join(hosts, ",")); err != nil {
					t.Errorf("hosts: %v", err)
				}
			}
			values := map[string]string{}
			for _, key := range s.Desired.Flow.Keys {
				values[key.Name] = "value-of-" + key.Field
			}
			checkMissingKeys(t, s, values)
			checkSameData(t, s, values)
		})
	}
}

func checkMissingKeys(t *testing.T, s *State, values map[string]string) {
	t.Helper()
	for _, key := range s.Desired.Flow.Keys {
		without := maps.Clone(values)
		delete(without, key.Name)
		_, err := s.Desired.Request(clientSecret(without))
		missing, ok := errors.AsType[*missingKeyError](err)
		if ok != !key.Optional || ok && (missing.Key != key.Name || missing.Field != key.Field) {
			t.Errorf("without the key %s: %v", key.Name, err)
		}
	}
}

func checkSameData(t *testing.T, s *State, values map[string]string) {
	t.Helper()
	s.Object.Spec.Target.Data = map[string]v1alpha1.DataTemplate{
		"line": `{{ .token }}|{{ .tokenType }}|{{ .expiresAt }}|{{ .clientID }}|{{ join "," .scopes }}|{{ toJson .headers }}`,
	}
	req, err := s.Desired.Request(clientSecret(values))
	if err != nil {
		t.Fatal(err)
	}
	issued := newPublication(s, Plan{Action: ActionIssue, Cause: CauseMissing, Request: req}, exchange.Token{
		Value: "t0ken", Type: "Bearer", Life: token.Life{IssuedAt: s.Now, ExpiresAt: s.Now.Add(time.Hour)},
	}, []byte("a salt of 16 byte"))
	want, err := TargetData(s.Object, issued)
	if err != nil {
		t.Fatal(err)
	}
	issued.Persisted.Keys = SortedKeys(want)
	value := exchange.Secret(issued.Persisted.TokenIn(want))
	issued.Persisted.TokenMAC = issued.Persisted.TokenMACOf([]byte(value))
	if !s.Desired.Flow.Exchanges() {
		value = issued.Token.Value // credentials are never rewritten but issued again, which costs nothing
	}

	for name, rec := range map[string]PersistedState{"a rewrite": issued.Persisted, "a restart": readAgain(t, issued.Persisted)} {
		again := steady()
		provide(again, *s.Object.Spec.Provider.DeepCopy())
		again.Object.Spec.Target.Data = s.Object.Spec.Target.Data
		req, err := again.Desired.Request(clientSecret(values))
		if err != nil {
			t.Fatal(err)
		}
		if rec.SpecHash != again.Desired.SpecHash || rec.SpecHashWithoutUpdatable != again.Desired.SpecHashWithoutUpdatable || compareRequests(&rec, req) != Same {
			t.Errorf("%s would ask for another token", name)
		}
		data, err := TargetData(again.Object, Republication(req, rec, value))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(dataTexts(want), dataTexts(data)); diff != "" {
			t.Errorf("%s, -issued +got:\n%s", name, diff)
		}
	}
}

// readAgain is a record as the next process reads it in the target's annotation.
func readAgain(t *testing.T, rec PersistedState) PersistedState {
	t.Helper()
	written, err := json.Marshal(rec)
	if err != nil {
		t.Fatal(err)
	}
	read := ParseAnyPersistedState(string(written))
	if read == nil {
		t.Fatal("the record cannot be read again")
	}
	return *read
}
