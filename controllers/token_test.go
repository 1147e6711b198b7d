// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/go-logr/logr/funcr"
	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	corev1 "k8s.io/api/core/v1"
	clocktesting "k8s.io/utils/clock/testing"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/credential"
	"github.com/cdpcredentials/cdp-credential-operator/internal/egress"
	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange"
	"github.com/cdpcredentials/cdp-credential-operator/internal/telemetry"
	"github.com/cdpcredentials/cdp-credential-operator/internal/token"
)

// An answer is what a token endpoint says to everybody.
type answer struct {
	token exchange.Token
	err   error
}

func (a answer) Exchange(context.Context, http.RoundTripper, exchange.Request) (exchange.Token, error) {
	return a.token, a.err
}

// nowhere is the way to endpoints of somebody who asks none.
type nowhere struct{}

func (nowhere) For(string, []byte) (http.RoundTripper, error) { return http.DefaultTransport, nil }

// saidBy is what the labels of exchanges_total say of an attempt, as the audit line does.
func saidBy(labels []*dto.LabelPair) string {
	said := map[string]string{}
	for _, label := range labels {
		said[label.GetName()] = label.GetValue()
	}
	return fmt.Sprintf(`"result"=%q "reason"=%q`, said["result"], said["reason"])
}

// TestExchangeWritesOneAuditLine: each attempt makes one line with these keys, whatever comes of it, and no secret is in it. What makes a line is counted,
// with the same result, and nothing else is.
func TestExchangeWritesOneAuditLine(t *testing.T) {
	t.Parallel()
	const who = `"level"=0 "msg"="Exchange" "credential"="marketing/etl" "secret"="etl-client" "target"="etl-token" "host"="auth.example.com:443" "provider"="oauth2" `
	for name, tc := range map[string]struct {
		step   credential.Plan
		answer answer
		given  func(*credential.State)
		want   []string
	}{
		"a first token": {
			credential.Plan{Action: credential.ActionIssue, Cause: credential.CauseMissing}, answer{token: exchange.Token{Value: "t0ken", Life: token.Life{ExpiresAt: at("12:00:00")}}}, nil,
			[]string{who + `"cause"="Missing" "result"="success" "reason"="TokenIssued"`},
		},
		"an update": {
			credential.Plan{Action: credential.ActionUpdate, Cause: credential.CauseChanged}, answer{token: exchange.Token{Value: "t0ken"}}, nil,
			[]string{who + `"cause"="Changed" "result"="success" "reason"="ResourcesUpdated"`},
		},
		"a refusal": {
			credential.Plan{Action: credential.ActionIssue, Cause: credential.CauseRequested}, answer{err: &exchange.Error{Kind: exchange.Rejected, Status: 401, Detail: "s3cret"}}, nil,
			[]string{who + `"cause"="Requested" "result"="failure" "reason"="CredentialsRejected"`},
		},
		"a token that is dead on arrival": {
			credential.Plan{Action: credential.ActionIssue, Cause: credential.CauseRenewal}, answer{token: exchange.Token{Value: "t0ken", Life: token.Life{ExpiresAt: at("11:00:00")}}}, nil,
			[]string{who + `"cause"="Renewal" "result"="failure" "reason"="MalformedResponse"`},
		},
		"an address that is refused": {
			credential.Plan{Action: credential.ActionIssue, Cause: credential.CauseMissing}, answer{err: &egress.RefusedError{}}, nil,
			[]string{who + `"cause"="Missing" "result"="failure" "reason"="EndpointRefused"`},
		},
		"something else": {
			credential.Plan{Action: credential.ActionIssue, Cause: credential.CauseMissing}, answer{err: errors.New("s3cret")}, nil,
			[]string{who + `"cause"="Missing" "result"="failure" "reason"="EndpointUnavailable"`},
		},
		"a key that is not open yet: nothing was sent": {credential.Plan{Action: credential.ActionIssue, Cause: credential.CauseMissing}, answer{err: &exchange.KeyWaitError{}}, nil, nil},
		"basic: nothing leaves the cluster": {
			credential.Plan{Action: credential.ActionIssue, Cause: credential.CauseMissing}, answer{token: exchange.Token{Value: "s3cret"}}, func(s *credential.State) { s.Desired = intentFor(v1alpha1.Provider{Basic: &v1alpha1.Basic{}}) }, nil,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var lines []string
			log := funcr.New(func(prefix, args string) {
				if prefix != "audit" {
					t.Errorf("a line of the logger %q: %s", prefix, args)
				}
				lines = append(lines, args)
			}, funcr.Options{Verbosity: 10})
			registry := prometheus.NewRegistry()
			metrics, err := telemetry.New(registry)
			if err != nil {
				t.Fatal(err)
			}
			s := steady()
			if tc.given != nil {
				tc.given(s)
			}
			r := &CDPCredentialReconciler{
				Sources: Sources{Clock: clocktesting.NewFakePassiveClock(s.Now)}, Metrics: metrics, Endpoints: Endpoints{Exchanger: tc.answer, Transports: nowhere{}},
			}
			tc.step.Request = exchange.Request{Values: exchange.Values{"clientSecret": "s3cret"}}
			_, _, _ = r.sub().token.exchange(ctrl.LoggerInto(t.Context(), log), s, tc.step)
			if diff := cmp.Diff(tc.want, lines); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			families, err := registry.Gather()
			if err != nil {
				t.Fatal(err)
			}
			var counted []string
			for _, f := range families {
				if f.GetName() == "cdpcredential_exchanges_total" {
					counted = append(counted, saidBy(f.GetMetric()[0].GetLabel()))
				}
			}
			var said []string
			for _, line := range tc.want {
				_, result, _ := strings.Cut(line, `"result"=`)
				said = append(said, `"result"=`+result)
			}
			if diff := cmp.Diff(said, counted); diff != "" {
				t.Errorf("the metric says something else than the line (-line +metric):\n%s", diff)
			}
		})
	}
}

// TestUntrustedCertificateIsEvidenceWithoutAnOwnCAOnly: a tenant whose ca.crt is wrong must not open the breaker for its neighbors. Without a CA of its
// own, an untrusted certificate is the endpoint's fault.
func TestUntrustedCertificateIsEvidenceWithoutAnOwnCAOnly(t *testing.T) {
	t.Parallel()
	untrusted := &exchange.Error{Kind: exchange.Unavailable, Cause: &tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}}
	for name, tc := range map[string]struct {
		data map[string][]byte
		want egress.ResultKind
	}{
		"its own CA":      {map[string][]byte{"ca.crt": []byte("a bundle")}, egress.Cancelled},
		"the system's CA": {nil, egress.Unavailable},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			metrics, err := telemetry.New(prometheus.NewRegistry())
			if err != nil {
				t.Fatal(err)
			}
			s := steady()
			s.Client.Content = &corev1.Secret{Data: tc.data}
			r := &CDPCredentialReconciler{
				Sources: Sources{Clock: clocktesting.NewFakePassiveClock(s.Now)}, Metrics: metrics,
				Endpoints: Endpoints{Exchanger: answer{err: untrusted}, Transports: nowhere{}},
			}
			_, learned, err := r.sub().token.exchange(t.Context(), s, credential.Plan{Action: credential.ActionIssue})
			if !errors.Is(err, untrusted) || learned.Kind != tc.want {
				t.Errorf("the gate learns %v (error %v), want %v", learned.Kind, err, tc.want)
			}
		})
	}
}
