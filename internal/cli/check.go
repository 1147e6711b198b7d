// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/spf13/cobra"
	appsv1 "k8s.io/api/apps/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// Results of a check.
const (
	resultOK      = "ok"
	resultProblem = "problem"
	resultSkipped = "skipped" // it could not be looked at
)

// A Check is one line of `check`. Its JSON is an interface (docs/cli.md).
type Check struct {
	Name    string `json:"name"`
	Result  string `json:"result"`
	Message string `json:"message"`
	// Do is what to do about a problem.
	Do string `json:"do,omitempty"`
}

func newCheck(env Environment, connect *connection) *cobra.Command {
	var out output
	var timeout time.Duration
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Look for what keeps the operator from its work: each line is ok, or says what to do",
		Long: "Look for what keeps the operator from its work: the API server, the CRD, the operator's pods, leader and rights, clocks, admission policies, and the way " +
			"to the endpoints of the objects (DNS, address policy, proxy, TLS), as seen from here.\n\n" +
			"Reads no Secret. Looks at the objects of all namespaces where you may list them, otherwise of the current one. Sends nothing to an endpoint but a GET " +
			"without credentials. Problems come first; ends with 3 if there are any.",
		Args: noNames,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := out.check(); err != nil {
				return err
			}
			s, err := connect.open()
			if err != nil {
				return err
			}
			ctx, cancel := context.WithTimeout(cmd.Context(), timeout)
			defer cancel()
			checks := (&checker{session: s, env: env}).all(ctx)
			if err := out.print(env, checks, func(p *page) { p.checks(checks) }); err != nil {
				return err
			}
			if slices.ContainsFunc(checks, func(c Check) bool { return c.Result == resultProblem }) {
				return errProblem
			}
			return nil
		},
	}
	cmd.Flags().DurationVar(&timeout, "timeout", time.Minute, "How long all of it may take.")
	out.addFlag(cmd)
	return cmd
}

// A checker makes the checks, and keeps what one learns for the next.
type checker struct {
	*session
	env Environment

	clock     serverClock
	objects   []v1alpha1.CDPCredential
	listed    bool // the objects could be read
	operators []appsv1.Deployment
	checks    []Check
}

func (c *checker) ok(name, message string) {
	c.checks = append(c.checks, Check{Name: name, Result: resultOK, Message: message})
}

func (c *checker) problem(name, message, do string) {
	c.checks = append(c.checks, Check{Name: name, Result: resultProblem, Message: message, Do: do})
}

func (c *checker) skip(name string, err error) {
	message := err.Error()
	if apierrors.IsForbidden(err) {
		message = "you may not look at this: " + message
	}
	c.checks = append(c.checks, Check{Name: name, Result: resultSkipped, Message: plain(message)})
}

// all makes every check. Problems come first, else in this order.
func (c *checker) all(ctx context.Context) []Check {
	if !c.checkServer(ctx) {
		return c.checks
	}
	c.checkCRD(ctx)
	c.checkOperators(ctx)
	c.checkLeaders(ctx)
	c.checkRights(ctx)
	c.checkAdmission(ctx)
	c.readObjects(ctx)
	c.checkEndpoints(ctx)
	c.checkObjects()
	rank := map[string]int{resultProblem: 0, resultSkipped: 1, resultOK: 2}
	slices.SortStableFunc(c.checks, func(a, b Check) int { return rank[a.Result] - rank[b.Result] })
	return c.checks
}

func (p *page) checks(checks []Check) {
	for _, check := range checks {
		label := map[string]string{resultOK: "ok       ", resultProblem: "PROBLEM  ", resultSkipped: "skipped  "}[check.Result]
		p.wrapPainted(label, map[string]paint{resultOK: green, resultProblem: red, resultSkipped: yellow}[check.Result], check.Name+": "+check.Message)
		if check.Do != "" {
			p.wrap("         ", "-> "+check.Do)
		}
	}
}

// A serverClock is what answers say of other clocks: a RoundTripper that reads their Date.
type serverClock struct {
	next http.RoundTripper
	now  func() time.Time

	offset time.Duration // the last answer's clock minus ours
	known  bool
}

func (c *serverClock) RoundTrip(request *http.Request) (*http.Response, error) {
	sent := c.now()
	response, err := c.next.RoundTrip(request)
	if err != nil {
		return response, err
	}
	if date, bad := http.ParseTime(response.Header.Get("Date")); bad == nil {
		middle := sent.Add(c.now().Sub(sent) / 2)
		c.offset, c.known = date.Add(500*time.Millisecond).Sub(middle), true // a Date has no fractions
	}
	return response, nil
}

// tolerance is how far clocks may be apart.
const tolerance = 30 * time.Second

func apart(offset time.Duration) bool { return offset.Abs() > tolerance }
