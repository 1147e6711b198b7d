// SPDX-License-Identifier: Apache-2.0

package watch

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	client "github.com/prometheus/client_golang/prometheus"
	"k8s.io/utils/clock"

	"github.com/cdpcredentials/cdp-credential-operator/internal/telemetry"
)

const operations, runbooks = "docs/operations.md", "docs/runbooks.md"

// TestOperationsIsComplete: each condition, reason, event, metric and alert of the operator has an entry in docs/operations.md, and there are no
// other entries.
func TestOperationsIsComplete(t *testing.T) {
	t.Parallel()
	page := sections(string(read(t, operations)))
	names := constants(t)
	metrics := map[string]string{}
	for name, labels := range operatorMetrics(t) {
		metrics[name] = strings.Join(labels, ", ")
	}
	var alerts []string
	for _, a := range readRules(t).alerts() {
		alerts = append(alerts, a.Alert)
	}
	for section, want := range map[string][]string{
		"Conditions": names["Condition"], "Reasons": names["Reason"], "Events": names["Event"], "Metrics": slices.Collect(maps.Keys(metrics)),
	} {
		if diff := cmp.Diff(sorted(want), sorted(slices.Collect(maps.Keys(entries(page[section]))))); diff != "" {
			t.Errorf("%s: the section %q: -code +page:\n%s", operations, section, diff)
		}
	}
	var headings []string
	for _, found := range regexp.MustCompile(`(?m)^## (CDPCredential.+)$`).FindAllStringSubmatch(string(read(t, runbooks)), -1) {
		headings = append(headings, found[1])
	}
	if diff := cmp.Diff(alerts, headings); diff != "" {
		t.Errorf("%s: the alerts: -rules +page:\n%s", runbooks, diff)
	}
	labels := map[string]string{}
	for name, cells := range entries(page["Metrics"]) {
		labels[name] = cells[0]
	}
	if diff := cmp.Diff(metrics, labels); diff != "" {
		t.Errorf("%s: labels of metrics: -code +page:\n%s", operations, diff)
	}
	for section, text := range page {
		for entry, cells := range entries(text) {
			for _, cell := range cells[min(len(cells), 1):] {
				if cell == "" && section != "Conditions" {
					t.Errorf("%s: %s has an empty cell in its row", operations, entry)
				}
			}
		}
	}
}

// TestOperationsNamesAlerts: each alert links to its section and has a summary and a description.
func TestOperationsNamesAlerts(t *testing.T) {
	t.Parallel()
	for _, a := range readRules(t).alerts() {
		const page = "https://github.com/cdpcredentials/cdp-credential-operator/blob/main/" + runbooks
		if want := page + "#" + strings.ToLower(a.Alert); a.Annotations["runbook_url"] != want {
			t.Errorf("%s leads to %q, want %q", a.Alert, a.Annotations["runbook_url"], want)
		}
		for _, key := range []string{"summary", "description"} {
			if a.Annotations[key] == "" {
				t.Errorf("%s has no %s", a.Alert, key)
			}
		}
		if !slices.Contains([]string{"warning", "critical"}, a.Labels["severity"]) {
			t.Errorf("%s has the severity %q", a.Alert, a.Labels["severity"])
		}
	}
}

// TestMetricNamesOfRulesExist: alerts, dashboard and docs/operations.md name only metrics that the operator has.
func TestMetricNamesOfRulesExist(t *testing.T) {
	t.Parallel()
	known := operatorMetrics(t)
	for _, file := range []string{"config/prometheus/rules.yaml", "config/grafana/dashboard.json", operations, runbooks} {
		for _, name := range regexp.MustCompile(`cdpcredential_[a-z_]+`).FindAllString(string(read(t, file)), -1) {
			name = regexp.MustCompile(`_(bucket|sum|count)$`).ReplaceAllString(name, "")
			if _, ok := known[name]; !ok {
				t.Errorf("%s names %s, which is not a metric", file, name)
			}
		}
	}
}

// sections returns the sections of a page by their second-level heading.
func sections(page string) map[string]string {
	parts := map[string]string{}
	for _, part := range strings.Split(page, "\n## ")[1:] {
		title, text, _ := strings.Cut(part, "\n")
		parts[title] = text
	}
	return parts
}

// entries returns the rows of a section's tables by the name in the first cell.
func entries(section string) map[string][]string {
	rows := map[string][]string{}
	for line := range strings.SplitSeq(section, "\n") {
		if !strings.HasPrefix(line, "| `") {
			continue
		}
		cells := strings.Split(strings.Trim(line, "|"), "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		rows[strings.Trim(cells[0], "`")] = cells[1:]
	}
	return rows
}

// constants returns the values of the API's constants by the first word of their names: Condition, Reason, Event.
func constants(t *testing.T) map[string][]string {
	t.Helper()
	found := map[string][]string{}
	kind := regexp.MustCompile(`^(Condition|Reason|Event)[A-Z]`)
	folder := filepath.Join(moduleRoot(t), "api/v1alpha1")
	err := filepath.WalkDir(folder, func(path string, _ fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok || len(spec.Values) != 1 {
				return true
			}
			literal, isLiteral := spec.Values[0].(*ast.BasicLit)
			if match := kind.FindStringSubmatch(spec.Names[0].Name); match != nil && isLiteral {
				value, unquoted := strconv.Unquote(literal.Value)
				if unquoted != nil {
					t.Fatal(unquoted)
				}
				found[match[1]] = append(found[match[1]], value)
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// operatorMetrics returns the operator's own metrics with their labels.
func operatorMetrics(t *testing.T) map[string][]string {
	t.Helper()
	registry := client.NewRegistry()
	if _, err := telemetry.New(registry); err != nil {
		t.Fatal(err)
	}
	if err := telemetry.RegisterBuildInfo(registry, "test"); err != nil {
		t.Fatal(err)
	}
	if _, err := telemetry.NewWatchdog(clock.RealClock{}, registry); err != nil {
		t.Fatal(err)
	}
	descriptions := make(chan *client.Desc)
	go func() {
		registry.Describe(descriptions)
		close(descriptions)
	}()
	form := regexp.MustCompile(`fqName: "([^"]+)".*variableLabels: \{([^}]*)\}`)
	all := map[string][]string{}
	for description := range descriptions {
		parts := form.FindStringSubmatch(description.String())
		if parts == nil {
			t.Fatalf("cannot parse %s", description)
		}
		all[parts[1]] = strings.FieldsFunc(parts[2], func(r rune) bool { return r == ',' || r == ' ' })
	}
	if len(all) < 10 {
		t.Fatalf("found only %d metrics", len(all))
	}
	return all
}

func sorted(list []string) []string {
	slices.Sort(list)
	return list
}
