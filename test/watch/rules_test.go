// SPDX-License-Identifier: Apache-2.0

package watch

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"sigs.k8s.io/yaml"
)

// rules are what Prometheus itself reads: the spec of a PrometheusRule.
type rules struct {
	Groups []ruleGroup `json:"groups"`
}

type ruleGroup struct {
	Name  string  `json:"name"`
	Rules []alert `json:"rules"`
}

type alert struct {
	Alert       string            `json:"alert"`
	Expr        string            `json:"expr"`
	For         string            `json:"for,omitempty"`
	Labels      map[string]string `json:"labels,omitempty"`
	Annotations map[string]string `json:"annotations,omitempty"`
}

func readRules(t *testing.T) rules {
	t.Helper()
	var manifest struct {
		APIVersion string         `json:"apiVersion"`
		Kind       string         `json:"kind"`
		Metadata   map[string]any `json:"metadata"`
		Spec       rules          `json:"spec"`
	}
	if err := yaml.UnmarshalStrict(read(t, "config/prometheus/rules.yaml"), &manifest); err != nil {
		t.Fatal(err)
	}
	if len(manifest.Spec.Groups) == 0 {
		t.Fatal("config/prometheus/rules.yaml has no rules")
	}
	return manifest.Spec
}

func (r rules) alerts() []alert {
	var all []alert
	for _, group := range r.Groups {
		all = append(all, group.Rules...)
	}
	return all
}

// changed is a copy in which each alert is what change makes of it.
func (r rules) changed(change func(alert) alert) rules {
	var copied rules
	for _, group := range r.Groups {
		on := ruleGroup{Name: group.Name}
		for _, a := range group.Rules {
			on.Rules = append(on.Rules, change(a))
		}
		copied.Groups = append(copied.Groups, on)
	}
	return copied
}

func (r rules) save(t *testing.T, path string) {
	t.Helper()
	content, err := yaml.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	write(t, path, content)
}

// withoutRunbook leaves out what promtool's tests would have to repeat at each alert. TestOperationsNamesAlerts looks at it.
func withoutRunbook(a alert) alert {
	rest := map[string]string{}
	for key, value := range a.Annotations {
		if key != "runbook_url" {
			rest[key] = value
		}
	}
	a.Annotations = rest
	return a
}

// try runs promtool's tests of one alert (testdata/alerts/NAME.yaml) against these rules.
func (r rules) try(t *testing.T, promtool, name string) error {
	t.Helper()
	folder := t.TempDir()
	r.changed(withoutRunbook).save(t, filepath.Join(folder, "rules.yaml"))
	tests, err := os.ReadFile(filepath.Join("testdata", "alerts", name+".yaml"))
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(folder, "tests.yaml"), tests)
	command := exec.CommandContext(t.Context(), promtool, "test", "rules", "tests.yaml")
	command.Dir = folder
	if output, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("%w\n%s", err, bytes.TrimSpace(output))
	}
	return nil
}

// TestAlertsFireOnlyWhenTheyShould: each alert fires when it should, says what it should, and is silent when it should be. The controls are rules that always
// fire, and rules that never do: the tests of each alert see the difference.
func TestAlertsFireOnlyWhenTheyShould(t *testing.T) {
	t.Parallel()
	promtool := program(t, "promtool")
	given := readRules(t)
	for _, a := range given.alerts() {
		t.Run(a.Alert, func(t *testing.T) {
			t.Parallel()
			if err := given.try(t, promtool, a.Alert); err != nil {
				t.Error(err)
			}
			labels := "namespace,name,reason,endpoint,pod"
			always := "max by (" + labels + `) ({__name__=~".+"})`
			for name, expr := range map[string]string{"always": always, "never": always + " > Inf"} {
				broken := given.changed(func(b alert) alert {
					if b.Alert == a.Alert {
						b.Expr = expr
					}
					return b
				})
				if broken.try(t, promtool, a.Alert) == nil {
					t.Errorf("its tests do not notice when it fires %s", name)
				}
			}
			hasty := given.changed(func(b alert) alert { b.For = ""; return b })
			if hasty.try(t, promtool, a.Alert) == nil {
				t.Error("its tests do not notice when it does not wait")
			}
		})
	}
}
