// SPDX-License-Identifier: Apache-2.0

package watch

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange/exchangetest"
	"github.com/cdpcredentials/cdp-credential-operator/test/framework"
)

// hurried adapts an alert to a test of two minutes: no alert waits longer than a second, and work is overdue after two seconds instead of a minute.
// Everything else is as in config/prometheus/rules.yaml.
func hurried(a alert) alert {
	a.For = "1s"
	a.Expr = strings.Replace(a.Expr, "cdpcredential_overdue_seconds > 60", "cdpcredential_overdue_seconds > 2", 1)
	return a
}

const patience = 3 * time.Minute

// TestPrometheus: a real Prometheus scrapes a real operator while everything that can go wrong does. The alerts fire, exactly for the objects that
// they are about, and stop when the cause is fixed. Meanwhile every panel of the dashboard has something to show.
func TestPrometheus(t *testing.T) {
	t.Parallel()
	program(t, "prometheus") // may have to be built, which should not happen while the operator runs
	const namespace = "marketing"
	s := newSite(t, namespace)
	address := freeAddress(t)
	flags := []string{"--metrics-bind-address=" + address, "--metrics-secure=true", "--leader-elect", "--leader-election-namespace=" + framework.SystemNamespace}
	f := startFleet(t, s, namespace)
	m := s.start(t, namespace, flags...)
	began := time.Now()
	p := startPrometheus(t, address, s.reader(t), readRules(t).changed(hurried))

	f.breakAll()
	p.wantFiring(t, "while many things are wrong",
		"ClockSkew "+f.skewed.host(), "Expired marketing expired", "ExpiresSoon marketing soon",
		"NoToken marketing never", "NoToken marketing throttled",
		"NotVerified marketing scope InsufficientScope", "Stalled marketing absent SecretNotFound",
		"Stalled marketing rejected CredentialsRejected", "Throttled marketing")
	f.holdUp(p)
	p.wantPanels(t)
	if *picture != "" {
		p.draw(t, *picture, began)
	}

	f.fixAll()
	p.wantFiring(t, "once everything is fixed")

	if err := m.Kill(); err != nil {
		t.Fatal(err)
	}
	p.wantFiring(t, "without an operator", "NoLeader")

	// With one worker and hanging endpoints, the work of everyone else is late.
	for _, c := range []*credential{f.never, f.throttled} {
		c.endpoints.SetBehaviour(down(exchangetest.Hang))
		c.request()
	}
	s.start(t, namespace, append(flags, "--max-concurrent-reconciles=1")...)
	until(t, patience, "CDPCredentialOverdue fires", func() string {
		firing, err := p.firing(t.Context())
		switch {
		case err != nil:
			return err.Error()
		case !slices.Contains(firing, "Overdue "+framework.SystemNamespace):
			return strings.Join(firing, ", ")
		}
		return ""
	})
	for _, c := range []*credential{f.never, f.throttled} {
		c.endpoints.SetBehaviour(exchangetest.Behaviour{})
	}
	p.wantFiring(t, "once endpoints answer again")
}

// wantFiring waits until exactly these alerts fire.
func (p *prometheus) wantFiring(t *testing.T, when string, want ...string) {
	t.Helper()
	until(t, patience, "alerts "+when, func() string {
		got, err := p.firing(t.Context())
		if err != nil {
			return err.Error()
		}
		slices.Sort(got)
		slices.Sort(want)
		return cmp.Diff(want, got)
	})
}

// wantPanels waits until each query of the dashboard returns something.
func (p *prometheus) wantPanels(t *testing.T) {
	t.Helper()
	d := readDashboard(t)
	for _, panel := range d.graphs() {
		for _, target := range panel.Targets {
			until(t, patience, "panel "+panel.Title+" shows something", func() string {
				got, err := p.query(t.Context(), filled(target.Expr))
				switch {
				case err != nil:
					return err.Error()
				case len(got) == 0:
					return "nothing for " + target.Expr
				}
				return ""
			})
		}
	}
	for _, v := range d.Templating.List {
		if expr, ok := strings.CutPrefix(v.Definition, "label_values("); ok {
			metric, label, _ := strings.Cut(strings.TrimSuffix(expr, ")"), ", ")
			got, err := p.query(t.Context(), "group by ("+label+") ("+metric+")")
			if err != nil || len(got) == 0 || got[0].Metric[label] == "" {
				t.Errorf("the dashboard variable %s has no values (%v)", v.Name, err)
			}
		}
	}
}

// filled replaces an expression's variables as Grafana would: all namespaces, all jobs, and a span of some scrapes.
func filled(expr string) string {
	return strings.NewReplacer("$namespace", ".*", "$job", ".*", "$__rate_interval", "30s").Replace(expr)
}

// reader returns a token that may read metrics, as Prometheus' own ServiceAccount would have.
func (s *site) reader(t *testing.T) string {
	t.Helper()
	for _, args := range [][]string{
		{"create", "serviceaccount", "prometheus", "--namespace", framework.SystemNamespace},
		{"create", "clusterrolebinding", "prometheus-metrics-reader", "--clusterrole=metrics-reader", "--serviceaccount=" + framework.SystemNamespace + ":prometheus"},
	} {
		if _, err := s.Kubectl(t.Context(), args...); err != nil {
			t.Fatal(err)
		}
	}
	token, err := s.Kubectl(t.Context(), "create", "token", "prometheus", "--namespace", framework.SystemNamespace)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// A fleet is a credential for each thing that can go wrong, one that is suspended while its token expires and its API refuses it, and two healthy ones.
type fleet struct {
	absent, rejected, throttled, soon, expired, never, scope, skewed, suspended, short, healthy *credential
}

func startFleet(t *testing.T, s *site, namespace string) *fleet {
	t.Helper()
	well := func(name string, behaviour exchangetest.Behaviour, change ...func(*v1alpha1.CDPCredentialSpec)) *credential {
		c := newCredential(t, s, namespace, name, behaviour)
		c.saveSecret(c.known.Secret, c.host())
		c.create(change...)
		return c
	}
	f := &fleet{
		throttled: well("throttled", down(func() *exchangetest.Fault { return exchangetest.Throttled("1") })),
		soon:      well("soon", exchangetest.Behaviour{Lifetime: 9 * time.Minute}),
		expired:   well("expired", exchangetest.Behaviour{Lifetime: 15 * time.Second}),
		never:     well("never", down(unavailable)),
		skewed:    well("skewed", exchangetest.Behaviour{ClockOffset: 2 * time.Minute}),
		short:     well("short", exchangetest.Behaviour{Lifetime: 40 * time.Second}),
		healthy:   well("healthy", exchangetest.Behaviour{}),
	}
	f.absent = newCredential(t, s, namespace, "absent", exchangetest.Behaviour{})
	f.absent.create()
	f.rejected = newCredential(t, s, namespace, "rejected", exchangetest.Behaviour{})
	f.rejected.saveSecret("of another client", f.rejected.host())
	f.rejected.create()
	f.scope = newCredential(t, s, namespace, "scope", exchangetest.Behaviour{})
	f.suspended = newCredential(t, s, namespace, "suspended", exchangetest.Behaviour{Lifetime: 15 * time.Second})
	for _, c := range []*credential{f.scope, f.suspended} {
		c.saveSecret(c.known.Secret, c.host())
		c.create(func(spec *v1alpha1.CDPCredentialSpec) {
			spec.Verify = &v1alpha1.Verify{URL: c.api("write"), Interval: &metav1.Duration{Duration: time.Second}}
		})
	}
	return f
}

func unavailable() *exchangetest.Fault { return exchangetest.Answer(http.StatusServiceUnavailable) }

// api returns an API that requires a scope.
func (c *credential) api(scope string) v1alpha1.HTTPSURL {
	return v1alpha1.HTTPSURL(c.endpoints.APIURL(exchangetest.OAuth2) + "?scope=" + scope)
}

// breakAll lets healthy credentials fail.
func (f *fleet) breakAll() {
	for _, c := range []*credential{f.soon, f.expired} {
		c.Helper()
		c.waitFor(v1alpha1.ConditionRefreshed, v1alpha1.ReasonTokenIssued)
		c.endpoints.SetBehaviour(down(unavailable))
	}
	f.soon.request()
	f.suspended.waitFor(v1alpha1.ConditionVerified, v1alpha1.ReasonInsufficientScope)
	f.suspended.edit(func(obj *v1alpha1.CDPCredential) { obj.Spec.Suspend = true })
}

// holdUp requests tokens at an endpoint that fails, until the gate holds up an attempt and Prometheus knows. By itself that happens only if an attempt is
// due just while the breaker is open.
func (f *fleet) holdUp(p *prometheus) {
	f.never.Helper()
	until(f.never.T, patience, "the gate holds up an attempt", func() string {
		f.never.request()
		got, err := p.query(f.never.Context(), "cdpcredential_endpoint_blocked_total")
		switch {
		case err != nil:
			return err.Error()
		case len(got) == 0:
			return "nothing was held up"
		}
		return ""
	})
}

// fixAll does what the conditions' messages say.
func (f *fleet) fixAll() {
	for _, c := range []*credential{f.absent, f.rejected} {
		c.saveSecret(c.known.Secret, c.host())
	}
	for _, c := range []*credential{f.scope, f.suspended} {
		c.edit(func(obj *v1alpha1.CDPCredential) { obj.Spec.Verify.URL, obj.Spec.Suspend = c.api("read"), false })
	}
	for _, c := range []*credential{f.throttled, f.soon, f.expired, f.never, f.skewed} {
		c.endpoints.SetBehaviour(exchangetest.Behaviour{})
		c.request()
	}
}
