// SPDX-License-Identifier: Apache-2.0

package watch

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/cdpcredentials/cdp-credential-operator/test/framework"
)

// dashboard is the part of Grafana's dashboard format that these tests check.
type dashboard struct {
	UID           string `json:"uid"`
	Title         string `json:"title"`
	SchemaVersion int    `json:"schemaVersion"`
	Templating    struct {
		List []variable `json:"list"`
	} `json:"templating"`
	Annotations struct {
		List []struct {
			Datasource source `json:"datasource"`
			Expr       string `json:"expr"`
		} `json:"list"`
	} `json:"annotations"`
	Panels []panel `json:"panels"`
}

type variable struct {
	Name       string `json:"name"`
	Type       string `json:"type"`
	Definition string `json:"definition"`
}

type source struct {
	Type string `json:"type"`
	UID  string `json:"uid"`
}

type panel struct {
	ID          int    `json:"id"`
	Type        string `json:"type"`
	Title       string `json:"title"`
	Description string `json:"description"`
	Datasource  source `json:"datasource"`
	GridPos     struct {
		X, Y, W, H int
	} `json:"gridPos"`
	Targets         []target         `json:"targets"`
	Transformations []transformation `json:"transformations"`
	Options         struct {
		ShowHeader bool `json:"showHeader"`
		SortBy     []struct {
			DisplayName string `json:"displayName"`
			Desc        bool   `json:"desc"`
		} `json:"sortBy"`
		Legend struct {
			ShowLegend bool `json:"showLegend"`
		} `json:"legend"`
	} `json:"options"`
	FieldConfig struct {
		Defaults struct {
			Unit       string `json:"unit"`
			Thresholds struct {
				Steps []struct {
					Color string   `json:"color"`
					Value *float64 `json:"value"`
				} `json:"steps"`
			} `json:"thresholds"`
			Custom struct {
				AxisLabel string `json:"axisLabel"`
			} `json:"custom"`
		} `json:"defaults"`
		Overrides []override `json:"overrides"`
	} `json:"fieldConfig"`
}

// A transformation is merge, which puts the results of a table's queries side by side, or organize, which names and orders its columns.
type transformation struct {
	ID      string `json:"id"`
	Options struct {
		ExcludeByName map[string]bool   `json:"excludeByName"`
		RenameByName  map[string]string `json:"renameByName"`
		IndexByName   map[string]int    `json:"indexByName"`
	} `json:"options"`
}

// An override is what is different for the series or column of a name.
type override struct {
	Matcher struct {
		ID      string `json:"id"`
		Options string `json:"options"`
	} `json:"matcher"`
	Properties []struct {
		ID    string `json:"id"`
		Value any    `json:"value"`
	} `json:"properties"`
}

// setting is what an override says for a name. Nil: nothing.
func (p panel) setting(name, id string) any {
	for _, o := range p.FieldConfig.Overrides {
		for _, property := range o.Properties {
			if o.Matcher.ID == "byName" && o.Matcher.Options == name && property.ID == id {
				return property.Value
			}
		}
	}
	return nil
}

// unit is that of a series or column.
func (p panel) unit(name string) string {
	if unit, ok := p.setting(name, "unit").(string); ok {
		return unit
	}
	return p.FieldConfig.Defaults.Unit
}

type target struct {
	RefID        string `json:"refId"`
	Datasource   source `json:"datasource"`
	Expr         string `json:"expr"`
	LegendFormat string `json:"legendFormat"`
}

func readDashboard(t *testing.T) dashboard {
	t.Helper()
	content := read(t, "config/grafana/dashboard.json")
	var d dashboard
	if err := json.Unmarshal(content, &d); err != nil {
		t.Fatal(err)
	}
	var exact any
	if err := json.Unmarshal(content, &exact); err != nil {
		t.Fatal(err)
	}
	var canonical bytes.Buffer
	if err := json.Indent(&canonical, content, "", "  "); err != nil || canonical.String() != string(content) {
		t.Errorf("config/grafana/dashboard.json is not indented by two spaces (%v)", err)
	}
	return d
}

// graphs returns all panels except row titles.
func (d dashboard) graphs() []panel {
	return slices.DeleteFunc(slices.Clone(d.Panels), func(p panel) bool { return p.Type == "row" })
}

// placeholder matches a variable in an expression, of the dashboard or of Grafana itself.
var placeholder = regexp.MustCompile(`\$(?:\{([^}]+)\}|([A-Za-z0-9_]+))`)

// TestDashboardShowsWhatItShould: Grafana can display the dashboard as it is meant. TestPrometheus checks the expressions.
func TestDashboardShowsWhatItShould(t *testing.T) {
	t.Parallel()
	d := readDashboard(t)
	if d.UID == "" || d.Title == "" || d.SchemaVersion < 36 {
		t.Errorf("uid %q, title %q, schema %d: want both texts and a schema with data sources by uid (36)", d.UID, d.Title, d.SchemaVersion)
	}
	variables := []string{"__rate_interval"}
	for _, v := range d.Templating.List {
		variables = append(variables, v.Name)
	}
	if !slices.Contains(variables, "datasource") {
		t.Error("there is no variable for the data source")
	}
	ids := map[int]string{}
	for i, p := range d.Panels {
		if other, taken := ids[p.ID]; taken || p.ID < 1 {
			t.Errorf("%q has the id %d of %q", p.Title, p.ID, other)
		}
		ids[p.ID] = p.Title
		if g := p.GridPos; g.W < 1 || g.H < 1 || g.X < 0 || g.Y < 0 || g.X+g.W > 24 {
			t.Errorf("%q is not within the grid of 24 columns: %+v", p.Title, g)
		}
		for _, other := range d.Panels[:i] {
			if overlap(p, other) {
				t.Errorf("%q covers %q", p.Title, other.Title)
			}
		}
		if p.Type != "row" {
			for _, wrong := range wrongWith(p, variables) {
				t.Errorf("%q %s", p.Title, wrong)
			}
		}
	}
	for _, a := range d.Annotations.List {
		if a.Datasource != ours {
			t.Errorf("the annotation %q has another data source", a.Expr)
		}
	}
}

func overlap(a, b panel) bool {
	p, q := a.GridPos, b.GridPos
	return p.X < q.X+q.W && q.X < p.X+p.W && p.Y < q.Y+q.H && q.Y < p.Y+p.H
}

// ours is the data source that the user chooses.
var ours = source{Type: "prometheus", UID: "${datasource}"}

func wrongWith(p panel, variables []string) (wrong []string) {
	say := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	if !slices.Contains([]string{"stat", "table", "timeseries"}, p.Type) {
		say("has the type %q, which does not come with Grafana", p.Type)
	}
	if p.Description == "" {
		say("has no description")
	}
	if p.Datasource != ours {
		say("has another data source: %v", p.Datasource)
	}
	names := []string{p.FieldConfig.Defaults.Unit}
	for _, o := range p.FieldConfig.Overrides {
		names = append(names, p.unit(o.Matcher.Options))
	}
	for _, unit := range names {
		if !slices.Contains([]string{"short", "s", "bytes", "cpm", "ops", "reqps"}, unit) {
			say("has the unit %q", unit)
		}
	}
	if len(p.Targets) == 0 {
		say("has no query")
	}
	wrong = append(wrong, unlabelled(p)...)
	refs := map[string]bool{}
	for _, t := range p.Targets {
		if refs[t.RefID] || t.RefID == "" || t.Datasource != ours {
			say("has a target whose refId %q is not unique, or whose data source is another", t.RefID)
		}
		refs[t.RefID] = true
		for _, found := range placeholder.FindAllStringSubmatch(t.Expr, -1) {
			if name := found[1] + found[2]; !slices.Contains(variables, name) {
				say("uses the variable %s, which is not defined", name)
			}
		}
	}
	return wrong
}

// unlabelled says where a reader would have to guess what is shown.
func unlabelled(p panel) (wrong []string) {
	switch p.Type {
	case "timeseries":
		if p.FieldConfig.Defaults.Custom.AxisLabel == "" {
			wrong = append(wrong, "has an axis without a label")
		}
		if !p.Options.Legend.ShowLegend || slices.ContainsFunc(p.Targets, func(t target) bool { return t.LegendFormat == "" }) {
			wrong = append(wrong, "has a line without a name")
		}
	case "table":
		if !p.Options.ShowHeader {
			wrong = append(wrong, "has no headers")
		}
		if len(p.Targets) > 1 && p.Transformations[0].ID != "merge" {
			wrong = append(wrong, "shows only its first query")
		}
		titles := p.columns()
		for _, sort := range p.Options.SortBy {
			if !slices.ContainsFunc(titles, func(c tableColumn) bool { return c.title == sort.DisplayName }) {
				wrong = append(wrong, "is sorted by the column "+sort.DisplayName+", which is not there")
			}
		}
	}
	return wrong
}

// A tableColumn is a label, or the value of a query.
type tableColumn struct{ key, title string }

// columns are what organize leaves of a table, in its order.
func (p panel) columns() []tableColumn {
	var columns []tableColumn
	for _, t := range p.Transformations {
		for key := range t.Options.IndexByName {
			if !t.Options.ExcludeByName[key] {
				columns = append(columns, tableColumn{key, cmp.Or(t.Options.RenameByName[key], key)})
			}
		}
		slices.SortFunc(columns, func(a, b tableColumn) int { return t.Options.IndexByName[a.key] - t.Options.IndexByName[b.key] })
	}
	return columns
}

// TestDashboardKeepsToGrafanasSchema: Grafana's own types, read strictly, take the dashboard. Grafana itself cannot be had as a Go module under our license.
func TestDashboardKeepsToGrafanasSchema(t *testing.T) {
	t.Parallel()
	checker := filepath.Join(t.TempDir(), "grafana")
	if err := framework.Command(t.Context(), filepath.Join(moduleRoot(t), "hack/tools/grafana"), "go", "build", "-o", checker, ".").Run(); err != nil {
		t.Fatal(err)
	}
	check := func(content string) error {
		command := exec.CommandContext(t.Context(), checker)
		command.Stdin = strings.NewReader(content)
		if said, err := command.CombinedOutput(); err != nil {
			return fmt.Errorf("%w: %s", err, said)
		}
		return nil
	}
	content := string(read(t, "config/grafana/dashboard.json"))
	if err := check(content); err != nil {
		t.Error(err)
	}
	for good, bad := range map[string]string{
		`"refresh": "30s"`:      `"refreshes": "30s"`,
		`"schemaVersion": 39`:   `"schemaVersion": "39"`,
		`"showLegend": true`:    `"legendShown": true`,
		`"graphMode": "none",`:  ``,
		`"fillOpacity": 10`:     `"fillOpacity": "10"`,
		`"mode": "absolute"`:    `"kind": "absolute"`,
		`"legendFormat": "p50"`: `"legendFormt": "p50"`,
	} {
		if spoilt := strings.Replace(content, good, bad, 1); spoilt == content || check(spoilt) == nil {
			t.Errorf("it is not noticed that %s becomes %s", good, bad)
		}
	}
}

// TestDashboardLintFindsMistakes checks that the checks above find mistakes.
func TestDashboardLintFindsMistakes(t *testing.T) {
	t.Parallel()
	graphs := readDashboard(t).graphs()
	good := graphs[0]
	lines := graphs[slices.IndexFunc(graphs, func(p panel) bool { return p.Type == "timeseries" })]
	lines.FieldConfig.Defaults.Custom.AxisLabel = ""
	if len(unlabelled(lines)) == 0 {
		t.Error("an axis without a label: nothing was noticed")
	}
	rows := graphs[slices.IndexFunc(graphs, func(p panel) bool { return p.Type == "table" })]
	rows.Options.SortBy[0].DisplayName = "Value"
	if len(unlabelled(rows)) == 0 {
		t.Error("sorted by a column that was renamed: nothing was noticed")
	}
	for name, spoil := range map[string]func(*panel){
		"no description": func(p *panel) { p.Description = "" },
		"data source":    func(p *panel) { p.Datasource.UID = "P1809F7CD0C75ACF3" },
		"unit":           func(p *panel) { p.FieldConfig.Defaults.Unit = "sec" },
		"variable":       func(p *panel) { p.Targets[0].Expr = `up{cluster="$cluster"}` },
		"type":           func(p *panel) { p.Type = "graph" },
		"no targets":     func(p *panel) { p.Targets = nil },
	} {
		p := good
		p.Targets = slices.Clone(good.Targets)
		spoil(&p)
		if len(wrongWith(p, []string{"datasource", "namespace"})) == 0 {
			t.Errorf("%s: the mistake was not found", name)
		}
	}
	if wrong := wrongWith(good, []string{"datasource", "namespace"}); wrong != nil {
		t.Errorf("the unmodified panel: %s", strings.Join(wrong, "; "))
	}
	right := good
	right.GridPos.X += good.GridPos.W
	if overlap(good, right) || !overlap(good, good) {
		t.Error("adjacent panels overlap, or a panel does not overlap itself")
	}
}
