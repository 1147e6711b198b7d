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

// rules is the format that Prometheus itself reads: the spec of a PrometheusRule.
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

// changed returns a copy with each alert changed.
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

// withoutRunbook removes an annotation that promtool's tests would otherwise have to repeat for each alert. TestOperationsNamesAlerts checks it.
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

// try runs promtool's tests of an alert (testdata/alerts/NAME.yaml) against these rules.
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

// TestAlertsFireOnlyWhenTheyShould: each alert fires when it should, with the right texts, and is silent otherwise. As a control, the tests of each
// alert must fail with rules that always fire, never fire, or do not wait.
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
					t.Errorf("its tests do not notice a rule that fires %s", name)
				}
			}
			hasty := given.changed(func(b alert) alert { b.For = ""; return b })
			if hasty.try(t, promtool, a.Alert) == nil {
				t.Error("its tests do not notice a rule that does not wait")
			}
		})
	}
}
