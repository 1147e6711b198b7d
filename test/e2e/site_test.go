// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"
)

// A site is a user's namespace with a stand-in of a token endpoint and an API.
type site struct {
	desk
	values map[string]string // for the manifests
}

func newSite(t *testing.T, clients ...string) site {
	t.Helper()
	return newSiteWithLifetime(t, lifetime, clients...)
}

func newSiteWithLifetime(t *testing.T, lifetime string, clients ...string) site {
	t.Helper()
	return openSite(newNamespace(t, "e2e-site", "restricted"), lifetime, clients...)
}

// openSite sets up a site in a namespace.
func openSite(d desk, lifetime string, clients ...string) site {
	d.Helper()
	s := site{d, map[string]string{
		"IMAGE": podsImage, "LIFETIME": lifetime, "CLIENTS": strings.Join(clients, ":"), "SECRET": rand.Text(),
	}}
	s.apply("standin.yaml", s.values)
	s.kubectl("rollout", "status", "deployment/standin", "--timeout=2m")
	s.values["HOST"] = s.kubectl("get", "service", "standin", "-o", "jsonpath={.spec.clusterIP}")
	ca := s.ask("/ca")
	s.values["CA"] = base64.StdEncoding.EncodeToString([]byte(ca + "\n"))
	s.kubectl("create", "configmap", "standin-ca", "--from-literal=ca.crt="+ca+"\n")
	return s
}

// with returns the same site for a subtest.
func (s site) with(t *testing.T) site { return site{s.desk.with(t), s.values} }

// ask queries the stand-in's control port through the API server.
func (s site) ask(path string) string {
	s.Helper()
	return s.kubectl("get", "--raw", "/api/v1/namespaces/"+s.namespace+"/services/standin:8080/proxy"+path)
}

// issued returns the number of tokens that a client got.
func (s site) issued(client string) int {
	s.Helper()
	var stats struct {
		Issued map[string]int `json:"issued"`
	}
	if err := json.Unmarshal([]byte(s.ask("/stats")), &stats); err != nil {
		s.Fatal(err)
	}
	return stats.Issued[client]
}

// credential applies a client Secret and a CDPCredential of that name in a namespace, and waits for the token.
func (s site) credential(namespace, name, policy string) {
	s.Helper()
	d, values := desk{s.T, namespace}, maps.Clone(s.values)
	values["NAME"], values["POLICY"] = name, policy
	d.apply("client.yaml", values)
	d.apply("credential.yaml", values)
	d.waitToken(name)
}

// waitToken waits for the token of a credential.
func (d desk) waitToken(name string) {
	d.Helper()
	d.kubectl("wait", "--for=condition=Ready", "--timeout=1m", "cdpcredential/"+name)
	if got := d.kubectl("get", "secret", name+"-token", "-o", "jsonpath={.data.token}"); got == "" {
		d.Fatalf("%s is Ready, but its Secret has no token", name)
	}
}

// counts is the last line of a consumer's log.
type counts struct{ renewals, calls, unauthorized, other, locked int }

func (s site) counts(pod string) counts {
	s.Helper()
	line, err := s.try("logs", pod, "--tail=1")
	var c counts
	if err != nil || !strings.HasPrefix(line, "renewals ") {
		return c // it has not started
	}
	if _, err := fmt.Sscanf(line, "renewals %d, calls %d, 401s %d, other failures %d, locked out for %d ms", &c.renewals, &c.calls, &c.unauthorized, &c.other, &c.locked); err != nil {
		s.Fatalf("cannot parse %q of %s: %v", line, pod, err)
	}
	return c
}

// waitCounts waits until a consumer's counts are as wanted.
func (s site) waitCounts(most time.Duration, pod, what string, until func(counts) bool) counts {
	s.Helper()
	var c counts
	s.wait(most, what, func() (string, bool) {
		c = s.counts(pod)
		return fmt.Sprintf("%+v", c), until(c)
	})
	return c
}

// newest returns the youngest pod of an app.
func (s site) newest(app string) string {
	s.Helper()
	return s.kubectl("get", "pods", "-l", "app="+app, "--sort-by=.metadata.creationTimestamp", "-o", "jsonpath={.items[-1:].metadata.name}")
}
