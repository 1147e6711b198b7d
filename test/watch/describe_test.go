// SPDX-License-Identifier: Apache-2.0

package watch

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange/exchangetest"
)

// TestDescribeTellsHowToFixAFailure: kubectl describe explains a failure, and doing what it says fixes it.
func TestDescribeTellsHowToFixAFailure(t *testing.T) {
	t.Parallel()
	const namespace = "story"
	s := newSite(t, namespace)
	s.start(t, namespace, "--leader-elect=false")

	t.Run("wrong secret", func(t *testing.T) {
		c := newCredential(t, s, namespace, "wrong", exchangetest.Behaviour{})
		c.saveSecret("not-this-one", c.host())
		c.create()
		c.waitFor(v1alpha1.ConditionStalled, v1alpha1.ReasonCredentialsRejected)
		message := "the endpoint refused the credentials or the request: HTTP 401, error invalid_client: " +
			"check the values of Secret wrong-client, what spec.provider.oauth2 asks for, and the client at the vendor"
		c.tells(
			`Message: +`+regexp.QuoteMeta(message)+`\n +Observed Generation: +1\n +Reason: +CredentialsRejected\n +Status: +False\n +Type: +Refreshed\n`,
			`Reason: +CredentialsRejected\n +Status: +True\n +Type: +Stalled\n`,
			`Message: +The target Secret holds no token yet: see the condition Refreshed\n +Observed Generation: +1\n +Reason: +NoToken\n +Status: +False\n +Type: +Ready\n`,
			`Warning +CredentialsRejected +\S+ +cdp-credential-operator +`+regexp.QuoteMeta(message),
		)
		c.saveSecret(c.known.Secret, c.host())
		c.waitFor(v1alpha1.ConditionReady, v1alpha1.ReasonTokenValid)
		c.tells(`Normal +TokenRefreshed +\S+ +cdp-credential-operator +Wrote a new token to Secret wrong-token`)
	})

	t.Run("no consent", func(t *testing.T) {
		c := newCredential(t, s, namespace, "etl", exchangetest.Behaviour{})
		c.saveSecret(c.known.Secret, "")
		c.create()
		c.waitFor(v1alpha1.ConditionStalled, v1alpha1.ReasonHostNotAllowed)
		line := "kubectl annotate secret -n story etl-client --overwrite 'cdpcredentials.io/allowed-hosts=" + c.host() + "'"
		problem := "Secret etl-client does not allow its values to be sent to " + c.host() + "; if that host is right, whoever may change the Secret allows it with: "
		c.tells(
			`Message: +`+regexp.QuoteMeta(problem+line)+`\n +Observed Generation: +1\n +Reason: +HostNotAllowed\n +Status: +False\n +Type: +Refreshed\n`,
			`Warning +HostNotAllowed +\S+ +cdp-credential-operator +`+regexp.QuoteMeta(problem+line),
		)
		s.shell(t, line)
		c.waitFor(v1alpha1.ConditionReady, v1alpha1.ReasonTokenValid)
	})

	t.Run("no Secret", func(t *testing.T) {
		c := newCredential(t, s, namespace, "absent", exchangetest.Behaviour{})
		c.create()
		c.waitFor(v1alpha1.ConditionStalled, v1alpha1.ReasonSecretNotFound)
		c.tells(`Warning +SecretNotFound +\S+ +cdp-credential-operator +create the Secret absent-client in this namespace, with the keys client-id and client-secret`)
	})
}

// tells waits until the output of kubectl describe matches all patterns. Events arrive shortly after the status.
func (c *credential) tells(patterns ...string) {
	c.Helper()
	for _, pattern := range patterns {
		wanted := regexp.MustCompile(pattern)
		until(c.T, 20*time.Second, "kubectl describe shows  "+c.name, func() string {
			if output := c.site.shell(c.T, "kubectl describe cdpcred -n "+c.namespace+" "+c.name); !wanted.MatchString(output) {
				return "no match for " + pattern + " in:\n" + output
			}
			return ""
		})
	}
}

// shell runs a command line as an administrator would.
func (s *site) shell(t *testing.T, line string) string {
	t.Helper()
	command := exec.CommandContext(t.Context(), "bash", "-euc", line)
	command.Dir = s.Temp
	command.Env = append(os.Environ(), "PATH="+s.Assets+":"+os.Getenv("PATH"), "KUBECONFIG="+s.AdminKubeconfig(), "KUBECACHEDIR="+s.Temp+"/cache")
	var said strings.Builder
	command.Stderr = &said
	output, err := command.Output()
	if err != nil {
		t.Fatalf("%s: %v: %s", line, err, said.String())
	}
	return string(output)
}
