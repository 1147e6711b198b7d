// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"context"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// A practice is the commands of a runbook for one cause of its alert, in the order in which they run.
type practice struct{ cause, look, end, fix string }

// practices returns the practices of docs/runbooks.md by "ALERT" or "ALERT REASON". names are the shell variables to set first.
func practices(blocks []block) (names string, all map[string]practice) {
	all = map[string]practice{}
	look := map[string]string{}
	for _, b := range blocks {
		step, ok := strings.CutPrefix(b.marker, "run in the demo: ")
		if !ok {
			continue
		}
		kind, reason, _ := strings.Cut(step, " ")
		key := strings.TrimSpace(b.heading + " " + reason)
		p := all[key]
		switch kind {
		case "names":
			names += b.text + "\n"
			continue
		case "look":
			look[b.heading] = b.text
			continue
		case "cause":
			p.cause = b.text
		case "end":
			p.end = b.text
		case "fix":
			p.fix = b.text
		default:
			continue
		}
		all[key] = p
	}
	for key, p := range all {
		section, _, _ := strings.Cut(key, " ")
		p.look = look[section]
		all[key] = p
	}
	return names, all
}

// TestEveryRunbookCanBePractised: each section about an alert has the blocks that TestDemo needs.
func TestEveryRunbookCanBePractised(t *testing.T) {
	t.Parallel()
	_, all := practices(pages(t, "../..")["docs/runbooks.md"])
	for key, p := range all {
		if strings.HasPrefix(key, "CDPCredential") && (p.cause == "" || p.look == "" || p.fix == "") {
			t.Errorf("%s lacks a block of cause, look or fix", key)
		}
		if _, ok := evidence[key]; !ok && strings.HasPrefix(key, "CDPCredential") {
			t.Errorf("%s: evidence has no entry for its metrics", key)
		}
	}
	for key := range evidence {
		if all[key].cause == "" {
			t.Errorf("docs/runbooks.md does not say how to cause %s", key)
		}
	}
}

// evidence is a pattern of the metrics line that shows the alert's cause. Empty: there are no metrics then.
var evidence = map[string]string{
	"CDPCredentialExpiresSoon":                 `cdpcredential_failing\{condition="Reconciling",name="adobe",.*reason="EndpointUnavailable"\} 1`,
	"CDPCredentialExpired":                     `cdpcredential_ready\{name="apsis",.*\} 0`,
	"CDPCredentialNoToken":                     `cdpcredential_ready\{name="auth0",.*\} 0`,
	"CDPCredentialStalled CredentialsRejected": `cdpcredential_failing\{condition="Stalled",name="rejected",.*reason="CredentialsRejected"\} 1`,
	"CDPCredentialStalled HostNotAllowed":      `cdpcredential_failing\{condition="Stalled",name="no-consent",.*reason="HostNotAllowed"\} 1`,
	"CDPCredentialStalled TargetNotOwned":      `cdpcredential_failing\{condition="Stalled",name="foreign",.*reason="TargetNotOwned"\} 1`,
	"CDPCredentialStalled BudgetSpent":         `cdpcredential_failing\{condition="Stalled",name="spent",.*reason="BudgetSpent"\} 1`,
	"CDPCredentialThrottled":                   `cdpcredential_failing\{condition="Reconciling",name="experiture",.*reason="Throttled"\} 1`,
	"CDPCredentialNotVerified":                 `cdpcredential_failing\{condition="Verified",name="unverified",.*reason="InsufficientScope"\} 1`,
	"CDPCredentialClockSkew":                   `cdpcredential_clock_skew_seconds\{.*\} 1[12]`,
	"CDPCredentialOverdue":                     `cdpcredential_overdue_seconds [1-9]`,
	"CDPCredentialNoLeader":                    "",
}

// outcome is what the output of the runbook's look commands must contain.
var outcome = map[string]string{
	"CDPCredentialExpiresSoon":                 "Why    EndpointUnavailable: ",
	"CDPCredentialExpired":                     "Why    EndpointUnavailable: the endpoint did not answer in time",
	"CDPCredentialNoToken":                     "No token: EndpointUnavailable",
	"CDPCredentialStalled CredentialsRejected": "Why    CredentialsRejected: ",
	"CDPCredentialStalled HostNotAllowed":      "kubectl cdpcred allow no-consent",
	"CDPCredentialStalled TargetNotOwned":      "kubectl cdpcred adopt foreign",
	"CDPCredentialStalled BudgetSpent":         "Why    BudgetSpent: ",
	"CDPCredentialThrottled":                   "experiture",
	"CDPCredentialNotVerified":                 "Why    InsufficientScope: ",
	"CDPCredentialClockSkew":                   "ClockSkew",
	"CDPCredentialOverdue":                     "--max-concurrent-reconciles=1",
	"CDPCredentialNoLeader":                    "it is scaled to 0",
}

// disrupt are the alerts whose cause affects all objects: they run after the others, one at a time. A restart of the operator, as for CDPCredentialThrottled,
// affects no object.
var disrupt = []string{"CDPCredentialClockSkew", "CDPCredentialOverdue", "CDPCredentialNoLeader"}

// runbooks follows docs/runbooks.md in the demo: for each alert it triggers the cause, runs the diagnosis, and fixes it as the page says.
func runbooks(t *testing.T, terminal *terminal, blocks []block) {
	t.Helper()
	names, all := practices(blocks)
	t.Run("alone", func(t *testing.T) {
		for key, p := range all {
			if p.cause != "" && !slices.Contains(disrupt, key) {
				t.Run(key, func(t *testing.T) {
					t.Parallel()
					terminal.practise(t, key, names, p)
				})
			}
		}
	})
	t.Run("token by hand", func(t *testing.T) { tokenByHand(t, terminal, blocks) })
	for _, key := range disrupt {
		t.Run(key, func(t *testing.T) { terminal.practise(t, key, names, all[key]) })
	}
}

// well checks at the end of every practice that the object is healthy.
const well = `
kubectl wait cdpcred "$NAME" -n "$NAMESPACE" --for=condition=Refreshed --timeout=120s
kubectl wait cdpcred "$NAME" -n "$NAMESPACE" --for=condition=Ready --timeout=120s
kubectl cdpcred status "$NAME" -n "$NAMESPACE"
`

func (s *terminal) practise(t *testing.T, key, names string, p practice) {
	t.Helper()
	s.run(t, names+p.cause)
	s.wantMetrics(t, evidence[key])
	// Commands of the plugin exit with 3 if they find a problem.
	const tolerant, strict = "set +e\ntrap 'code=$?; [ $code = 3 ] || exit $code' ERR\n", "\ntrap - ERR\nset -e\n"
	which := named.FindString(p.cause) + "\n"
	if said := s.run(t, names+which+tolerant+p.look+strict); !strings.Contains(said, outcome[key]) {
		t.Errorf("the commands of look do not show %q:\n%s", outcome[key], said)
	}
	s.typing(t, "my-secret", names+which+p.end+"\n"+tolerant+p.fix+strict+well)
}

// named matches how a practice names its object.
var named = regexp.MustCompile(`NAMESPACE=demo NAME=[a-z0-9-]+`)

// wantMetrics waits until a line of the demo's metrics matches, or, with an empty pattern, until there are no metrics.
func (s *terminal) wantMetrics(t *testing.T, pattern string) {
	t.Helper()
	wanted := regexp.MustCompile(`(?m)^` + pattern)
	deadline := time.Now().Add(time.Minute)
	ticker := time.NewTicker(500 * time.Millisecond)
	defer ticker.Stop()
	for {
		said, err := scrape(t.Context(), s.metrics)
		if pattern == "" && err != nil || pattern != "" && wanted.MatchString(said) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("no line of the metrics matched %q within a minute (%v)", pattern, err)
		}
		<-ticker.C
	}
}

func scrape(ctx context.Context, url string) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	return string(content), err
}

// tokenByHand follows the page's last resort: a token written by hand stays while the object is suspended, and after that while the endpoint is still
// down; then the operator takes over again.
func tokenByHand(t *testing.T, terminal *terminal, blocks []block) {
	t.Helper()
	names, _ := practices(blocks)
	names += "NAMESPACE=demo NAME=experiture\n"
	block := func(marker string) string {
		for _, b := range blocks {
			if b.marker == marker {
				return b.text
			}
		}
		t.Fatalf("there is no block with the marker %q", marker)
		return ""
	}
	secret := func(path string) string {
		return terminal.run(t, "kubectl get secret experiture-token --show-managed-fields -o jsonpath='"+path+"'")
	}
	token := func() string {
		return terminal.run(t, "kubectl get secret experiture-token -o jsonpath='{.data.token}' | base64 -d")
	}
	const byHand, state = "a-token-by-hand", `{.metadata.annotations.cdpcredentials\.io/state}`
	terminal.run(t, `kubectl patch configmap faults -p '{"data":{"experiture":"500"}}'
kubectl wait cdpcred experiture --for=jsonpath='{.status.reason}'=EndpointUnavailable --timeout=90s`)
	terminal.typing(t, byHand, names+block("run in the demo: by hand"))
	written := secret(state)
	terminal.run(t, `kubectl wait cdpcred experiture --for=jsonpath='{.status.conditions[?(@.type=="Ready")].status}'=False --timeout=60s
kubectl wait cdpcred experiture --for=jsonpath='{.status.conditions[?(@.type=="Ready")].reason}'=Suspended --timeout=60s`)
	if got := token(); got != byHand {
		t.Errorf("while suspended the target holds %q", got)
	}
	terminal.run(t, `kubectl cdpcred resume experiture
kubectl wait cdpcred experiture --for=jsonpath='{.status.reason}'=EndpointUnavailable --timeout=60s`)
	if got := token(); got != byHand || secret(state) != written {
		t.Errorf("after resuming, with the endpoint down, the target holds %q", got)
	}
	terminal.run(t, names+`kubectl patch configmap faults -p '{"data":{"experiture":null}}'
`+block("run in the demo: resume")+well)
	if got := token(); got == byHand || secret(state) == written {
		t.Error("the operator has not taken over the Secret again")
	}
	if owners := secret(`{range .metadata.managedFields[?(@.fieldsV1.f:data)]}{.manager}{"\n"}{end}`); strings.TrimSpace(owners) != "cdp-credential-operator" {
		t.Errorf("the data is owned by %q", owners)
	}
}
