// SPDX-License-Identifier: Apache-2.0

package install

import (
	"slices"
	"strings"
	"testing"
)

func TestChartLints(t *testing.T) {
	t.Parallel()
	for name, values := range map[string][]string{
		"defaults":       nil,
		"every value":    {"--values=test/install/testdata/everything.yaml"},
		"bare":           {"--values=test/install/testdata/nothing.yaml"},
		"two namespaces": {"--set=watchNamespaces={marketing,web}"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if out, err := run(t, helm, append([]string{"lint", "--strict", chart}, values...)...); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}

// TestBadChartValuesAreRefusedByName: a value that cannot be meant is refused by name before anything reaches the cluster.
func TestBadChartValuesAreRefusedByName(t *testing.T) {
	t.Parallel()
	for values, says := range map[string][]string{
		"replica=2":         {"replica"},
		"replicas=two":      {"/replicas", "want integer"},
		"replicas=-1":       {"/replicas"},
		"image.tags=v1":     {"/image", "tags"},
		"image.repository=": {"/image/repository"},
		"image.repository=Registry.example.com/x": {"/image/repository"},
		"image.tag=v1:2":                                           {"/image/tag"},
		"image.tag=":                                               {"image.tag", "make docker-build docker-push", "oci://"},
		"image.digest=sha256:beef":                                 {"/image/digest"},
		"image.pullPolicy=Sometimes":                               {"/image/pullPolicy", "IfNotPresent"},
		"watchNamespaces=default":                                  {"/watchNamespaces", "want array"},
		"watchNamespaces={Marketing}":                              {"/watchNamespaces/0"},
		"watchNamespaces={a,a}":                                    {"/watchNamespaces"},
		"allowedTokenHosts={https://a.example.com/b}":              {"/allowedTokenHosts/0"},
		"allowedCIDRs={ten}":                                       {"/allowedCIDRs/0"},
		"deniedCIDRs={10.1.2.3/8}":                                 {"deniedCIDRs", "10.1.2.3/8", "first address"},
		"tokenHostsOnly={https://a.example.com/b}":                 {"/tokenHostsOnly/0"},
		"tokenHostsOnly={a.example.com:0}":                         {"tokenHostsOnly", "HOST:PORT"},
		"watchSelector=a=b=c":                                      {"watchSelector", "shard=a"},
		"caFile=ca.crt":                                            {"/caFile"},
		"caFile=/etc/authorities/ca.crt":                           {"caFile", "nothing mounts"},
		"maxConcurrentReconciles=0":                                {"/maxConcurrentReconciles"},
		"tokenEndpoint.qps=0":                                      {"/tokenEndpoint/qps"},
		"tokenEndpoint.inFlight=1.5":                               {"/tokenEndpoint/inFlight"},
		"log.level=loud":                                           {"/log/level"},
		"log.level=0":                                              {"/log/level"},
		"log.encoder=xml":                                          {"/log/encoder", "console"},
		"metrics.port=70000":                                       {"/metrics/port"},
		"metrics.port=8081":                                        {"healthPort, metrics.port", "8081, 8081"},
		"pprofBindAddress=:8443":                                   {"pprofBindAddress", "8081, 8443, 8443"},
		"pprofBindAddress=:70000":                                  {"/pprofBindAddress"},
		"podDisruptionBudget.minAvailable=half":                    {"/podDisruptionBudget/minAvailable"},
		"extraArgs={zap-devel}":                                    {"/extraArgs/0"},
		"extraArgs={--allowed-cidr=10.0.0.0/8}":                    {"extraArgs", "no flag --allowed-cidr;"},
		"env[0].value=x":                                           {"/env/0", "name"},
		"podLabels.a=1":                                            {"/podLabels/a", "want string"},
		"fullnameOverride=a-name-that-is-by-far-too-long":          {"/fullnameOverride"},
		"replicas=2,leaderElection.enabled=false":                  {"more than one needs leaderElection.enabled"},
		"serviceAccount.create=false":                              {"serviceAccount.name: name an account"},
		"serviceMonitor.enabled=true,metrics.enabled=false":        {"there is nothing to scrape without metrics.enabled"},
		"prometheusRule.enabled=true,leaderElection.enabled=false": {"CDPCredentialNoLeader would fire for ever"},
		"networkPolicy.egress.ports=null":                          {"/networkPolicy/egress", "ports"},
	} {
		t.Run(values, func(t *testing.T) {
			t.Parallel()
			out, err := run(t, helm, append(slices.Clone(rendering), "--set", values)...)
			if err == nil {
				t.Fatalf("the value is accepted:\n%s", out)
			}
			for _, word := range says {
				if !strings.Contains(err.Error(), word) {
					t.Errorf("the error does not contain %q: %v", word, err)
				}
			}
		})
	}
}
