// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange"
)

// TestOperatorRights: what check asks for is what the role grants.
func TestOperatorRights(t *testing.T) {
	t.Parallel()
	content, err := os.ReadFile("../../config/rbac/role.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var role rbacv1.ClusterRole
	if err := yaml.Unmarshal(content, &role); err != nil {
		t.Fatal(err)
	}
	var granted, asked []string
	for _, rule := range role.Rules {
		for _, group := range rule.APIGroups {
			for _, resource := range rule.Resources {
				for _, verb := range rule.Verbs {
					granted = append(granted, verb+" "+group+" "+resource)
				}
			}
		}
	}
	for _, right := range operatorRights {
		for _, verb := range right.verbs {
			asked = append(asked, strings.TrimSuffix(verb+" "+right.group+" "+right.resource+"/"+right.subresource, "/"))
		}
	}
	slices.Sort(granted)
	slices.Sort(asked)
	if diff := cmp.Diff(granted, asked); diff != "" {
		t.Errorf("-role +check:\n%s", diff)
	}
}

func TestArgument(t *testing.T) {
	t.Parallel()
	container := &corev1.Container{Args: []string{"--leader-elect", "--allowed-cidrs=10.0.0.0/8", "-denied-cidrs", "10.1.0.0/16", "allowed-token-hosts=x"}}
	for name, want := range map[string]string{"allowed-cidrs": "10.0.0.0/8", "denied-cidrs": "10.1.0.0/16", "allowed-token-hosts": "", "token-hosts-only": ""} {
		if got := argument(container, name); got != want {
			t.Errorf("%s is %q, not %q", name, got, want)
		}
	}
}

func TestProxyOfHidesThePassword(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]string{"http://user:secret@proxy.example.com:3128": "proxy.example.com:3128", "": "", "user:secret": "one whose address cannot be read"} {
		container := &corev1.Container{Env: []corev1.EnvVar{{Name: "HTTPS_PROXY", Value: value}}}
		if got := proxyOf(container); got != want {
			t.Errorf("%q gives %q, not %q", value, got, want)
		}
	}
}

type answerer func(*http.Request) (*http.Response, error)

func (f answerer) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestServerClock(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		date  string
		known bool
		apart bool
	}{
		"as ours":      {now.Format(http.TimeFormat), true, false},
		"a little off": {now.Add(25 * time.Second).Format(http.TimeFormat), true, false},
		"ahead":        {now.Add(time.Minute).Format(http.TimeFormat), true, true},
		"behind":       {now.Add(-time.Hour).Format(http.TimeFormat), true, true},
		"no date":      {"", false, false},
	} {
		clock := &serverClock{now: func() time.Time { return now }, next: answerer(func(*http.Request) (*http.Response, error) {
			return &http.Response{Header: http.Header{"Date": {test.date}}, Body: http.NoBody}, nil
		})}
		if _, err := clock.RoundTrip(&http.Request{}); err != nil {
			t.Fatal(err)
		}
		if clock.known != test.known || apart(clock.offset) != test.apart {
			t.Errorf("%s: known %v, offset %s", name, clock.known, clock.offset)
		}
	}
}

func TestDestinationsAreLookedAtOnce(t *testing.T) {
	t.Parallel()
	private := object(failing("EndpointUnavailable", "Reconciling", ""), func(obj *v1alpha1.CDPCredential) { obj.Spec.TLS = &v1alpha1.TLS{CABundle: []byte("private")} })
	copied := object(func(obj *v1alpha1.CDPCredential) { obj.Spec.Provider = v1alpha1.Provider{Basic: &v1alpha1.Basic{}} })
	got := destinationsOf([]v1alpha1.CDPCredential{*object(failing("EndpointUnavailable", "Reconciling", "")), *private, *object(), *copied})
	want := []destination{{"https://auth.example.com:443/", "", true}, {"https://auth.example.com:443/", "private", false}}
	if !slices.Equal(got, want) {
		t.Errorf("got %+v", got)
	}
}

// TestCAThatIsNotHereIsNoProblem: the operator may have it from the client Secret. Without a token that proves so, and for any other failure, it is one.
func TestCAThatIsNotHereIsNoProblem(t *testing.T) {
	t.Parallel()
	untrusted := &exchange.Error{Detail: "the endpoint's certificate is not trusted", Untrusted: true}
	refused := &exchange.Error{Detail: "the connection was refused"}
	for name, test := range map[string]struct {
		err     *exchange.Error
		reached bool
		want    string
	}{
		"the operator got a token": {untrusted, true, resultSkipped},
		"nobody got a token":       {untrusted, false, resultProblem},
		"down since":               {refused, true, resultProblem},
	} {
		var c checker
		c.unreachable("endpoint a", test.err, "", test.reached)
		if len(c.checks) != 1 || c.checks[0].Result != test.want || test.reached != strings.Contains(c.checks[0].Message, "the operator's last attempt worked") {
			t.Errorf("%s: %+v", name, c.checks)
		}
	}
}

func TestChecksPage(t *testing.T) {
	t.Parallel()
	p := &page{}
	p.checks([]Check{
		{"leader cdp-credential-operator-system/cdp-credential-operator", resultProblem, "manager-7d9f_x is gone: it last renewed the Lease 10m0s ago, and nobody has taken over", "see whether the operator's pods run, and what they log"},
		{"rights", resultSkipped, "you may not look at this: forbidden", ""},
		{"CRD", resultOK, "serves cdpcredentials.io/v1alpha1", ""},
	})
	golden(t, "check/page.txt", p.String())
}

func TestRefusedByPolicy(t *testing.T) {
	t.Parallel()
	for message, want := range map[string]bool{
		`admission webhook "x.example.com" denied the request: no`:                              true,
		`secrets "a" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'b' denied`:       true,
		`secrets "a" is forbidden: exceeded quota: q`:                                           true,
		`secrets is forbidden: User "jane" cannot create resource "secrets" in API group "" in`: false,
	} {
		if got := refusedByPolicy(metav1.Status{Reason: metav1.StatusReasonForbidden, Message: message}); got != want {
			t.Errorf("%s: %v", message, got)
		}
	}
}
