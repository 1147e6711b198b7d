// SPDX-License-Identifier: Apache-2.0

package watch

import (
	"cmp"
	"flag"
	"fmt"
	"html"
	"maps"
	"math"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// picture makes TestPrometheus draw docs/images/dashboard.svg (make picture).
var picture = flag.String("picture", "", "SVG file into which TestPrometheus draws the dashboard")

// A sheet is an SVG that is being written.
type sheet struct{ strings.Builder }

const (
	column, row, gap = 50, 30, 4 // pixels of the dashboard's grid
	small            = 11
)

// lines are the colours of the graph's lines, in order.
var lines = []string{"#7eb26d", "#eab839", "#6ed0e0", "#ef843c", "#e24d42", "#1f78c1", "#ba43a9", "#705da0", "#508642", "#cca300"}

// draw draws the dashboard as Grafana would show it now, with the data of this run.
func (p *prometheus) draw(t *testing.T, file string, from time.Time) {
	t.Helper()
	const span = 90 * time.Second
	until(t, 2*span, "there is something to draw", func() string {
		if time.Since(from) < span {
			return "too little time has passed"
		}
		return ""
	})
	to := time.Now()
	s, d := &sheet{}, readDashboard(t)
	height := 0
	for _, each := range d.Panels {
		height = max(height, (each.GridPos.Y+each.GridPos.H)*row)
	}
	s.printf(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="%d" fill="#ccccdc">`, 24*column, height, small)
	s.printf(`<rect width="100%%" height="100%%" fill="#111217"/>`)
	for _, each := range d.Panels {
		s.panel(t, p, each, from, to)
	}
	s.printf(`</svg>`)
	if err := os.WriteFile(file, []byte(s.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}

func (s *sheet) printf(format string, args ...any) { fmt.Fprintf(s, format+"\n", args...) }

func (s *sheet) text(x, y, size int, words string) {
	s.printf(`<text x="%d" y="%d" font-size="%d">%s</text>`, x, y, size, html.EscapeString(words))
}

func (s *sheet) panel(t *testing.T, p *prometheus, is panel, from, to time.Time) {
	t.Helper()
	x, y, w, h := is.GridPos.X*column+gap, is.GridPos.Y*row+gap, is.GridPos.W*column-2*gap, is.GridPos.H*row-2*gap
	if is.Type == "row" {
		s.text(x, y+row/2+gap, 14, "⌄ "+is.Title)
		return
	}
	s.printf(`<rect x="%d" y="%d" width="%d" height="%d" rx="3" fill="#181b1f" stroke="#2c3235"/>`, x, y, w, h)
	s.text(x+8, y+18, 13, is.Title)
	x, y, w, h = x+8, y+28, w-16, h-36
	var found []result
	for _, target := range is.Targets {
		var got []series
		var err error
		if is.Type == "timeseries" {
			got, err = p.queryRange(t.Context(), filled(target.Expr), from, to, time.Second)
		} else {
			got, err = p.query(t.Context(), filled(target.Expr))
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, each := range got {
			found = append(found, result{each, target.RefID, legend(target.LegendFormat, each.Metric)})
		}
	}
	switch is.Type {
	case "stat":
		s.stat(x, y, w, h, is, found)
	case "table":
		s.table(x, y, w, h, is, found)
	default:
		s.graph(x, y, w, h, is, found, from, to)
	}
}

// A result is a series, the query that it comes from, and its name in the legend.
type result struct {
	series
	refID, name string
}

// legend formats a legend like Grafana: a label's name in double braces is replaced by its value.
func legend(format string, labels map[string]string) string {
	return braces.ReplaceAllStringFunc(format, func(label string) string { return labels[strings.Trim(label, "{}")] })
}

var braces = regexp.MustCompile(`\{\{[a-z_]+\}\}`)

func (s *sheet) stat(x, y, w, h int, is panel, found []result) {
	value := found[0].Value.value
	colour := "#ccccdc"
	for _, step := range is.FieldConfig.Defaults.Thresholds.Steps {
		if step.Value == nil || value >= *step.Value {
			colour = map[string]string{"green": "#73bf69", "red": "#f2495c", "orange": "#ff9830", "yellow": "#fade2a"}[step.Color]
		}
	}
	s.printf(`<text x="%d" y="%d" font-size="32" text-anchor="middle" fill="%s">%s</text>`, x+w/2, y+h/2+8, colour, amount(value, is.FieldConfig.Defaults.Unit))
}

// table draws the results after the transformations merge and organize: a row for each set of labels, a column for each query's value.
func (s *sheet) table(x, y, w, h int, is panel, found []result) {
	columns := is.columns()
	rows := tableRows(is, found)
	const line = 18
	widths := columnWidths(is, columns, rows, w)
	at := x
	for j, column := range columns {
		s.printf(`<text x="%d" y="%d" font-size="%d" font-weight="bold" fill="#6e9fff">%s</text>`, at, y+12, small+1, html.EscapeString(column.title))
		for i, cells := range rows {
			if bottom := y + 16 + (i+1)*line; bottom <= y+h {
				s.text(at, bottom, small+1, clipped(cells.text(column.key, is.unit(column.title)), widths[j]/letter))
			}
		}
		at += widths[j]
	}
	s.printf(`<path d="M%d %dH%d" stroke="#2c3235"/>`, x, y+17, x+w)
}

// letter is about how wide one is in a table.
const letter = 7

// columnWidths shares the width of a table by what is in its columns.
func columnWidths(is panel, columns []tableColumn, rows []tableRow, width int) []int {
	widths := make([]int, len(columns))
	all := 0
	for j, column := range columns {
		longest := len(column.title)
		for _, cells := range rows {
			longest = max(longest, len(cells.text(column.key, is.unit(column.title))))
		}
		widths[j] = letter * (longest + 2)
		all += widths[j]
	}
	for j := range widths {
		widths[j] = widths[j] * width / all
	}
	return widths
}

// clipped returns a text cut to the number of letters that fit into a cell.
func clipped(text string, letters int) string {
	if runes := []rune(text); len(runes) > letters {
		return string(runes[:letters-1]) + "…"
	}
	return text
}

// A tableRow is a row's labels, and its values by the names that Grafana gives them.
type tableRow struct {
	labels map[string]string
	values map[string]float64
}

func (r tableRow) text(key, unit string) string {
	if value, ok := r.values[key]; ok {
		return amount(value, unit)
	}
	return r.labels[key]
}

func tableRows(is panel, found []result) []tableRow {
	var rows []tableRow
	for _, each := range found {
		name := "Value"
		if len(is.Targets) > 1 {
			name += " #" + each.refID
		}
		i := slices.IndexFunc(rows, func(r tableRow) bool { return maps.Equal(r.labels, each.Metric) })
		if i < 0 {
			i = len(rows)
			rows = append(rows, tableRow{each.Metric, map[string]float64{}})
		}
		rows[i].values[name] = each.Value.value
	}
	columns := is.columns()
	slices.SortStableFunc(rows, func(a, b tableRow) int {
		for _, sort := range is.Options.SortBy {
			at := slices.IndexFunc(columns, func(c tableColumn) bool { return c.title == sort.DisplayName })
			order := cmp.Or(cmp.Compare(a.values[columns[at].key], b.values[columns[at].key]), cmp.Compare(a.labels[columns[at].key], b.labels[columns[at].key]))
			if sort.Desc {
				order = -order
			}
			if order != 0 {
				return order
			}
		}
		return cmp.Compare(a.labels["name"]+a.labels["endpoint"], b.labels["name"]+b.labels["endpoint"])
	})
	return rows
}

// graph draws lines over time, with a value axis on the left, another on the right if a series asks for it, and the legend below.
func (s *sheet) graph(x, y, w, h int, is panel, found []result, from, to time.Time) {
	lines := legendLines(found, w)
	left, right, top, bottom := x+64, x+w-8, y+4, y+h-18-15*len(lines)
	rights := slices.DeleteFunc(slices.Clone(found), func(r result) bool { return is.setting(r.name, "custom.axisPlacement") != "right" })
	lefts := slices.DeleteFunc(slices.Clone(found), func(r result) bool { return is.setting(r.name, "custom.axisPlacement") == "right" })
	rightLabel := ""
	if len(rights) > 0 {
		right -= 56
		rightLabel, _ = is.setting(rights[0].name, "custom.axisLabel").(string)
	}
	area := plot{left: left, right: right, top: top, bottom: bottom, from: from, to: to}
	s.timeAxis(area)
	for _, axis := range []struct {
		of    []result
		at    int
		turn  int
		label string
	}{{lefts, left, -1, is.FieldConfig.Defaults.Custom.AxisLabel}, {rights, right, 1, rightLabel}} {
		if len(axis.of) == 0 {
			continue
		}
		area.low, area.high = bounds(axis.of)
		unit := is.unit(axis.of[0].name)
		s.valueAxis(area, axis.at, axis.turn, axis.label, unit)
		for _, each := range axis.of {
			s.line(area, each.series, colourOf(found, each.name))
		}
	}
	for i, names := range lines {
		at := x
		for _, name := range names {
			s.printf(`<rect x="%d" y="%d" width="10" height="3" fill="%s"/>`, at, bottom+25+15*i, colourOf(found, name))
			s.text(at+14, bottom+30+15*i, small, name)
			at += legendWidth(name)
		}
	}
}

// A plot is the area in which lines are drawn, in pixels, and its range of times and values.
type plot struct {
	left, right, top, bottom int
	from, to                 time.Time
	low, high                float64
}

func bounds(found []result) (low, high float64) {
	for _, each := range found {
		for _, v := range each.Values {
			if !math.IsNaN(v.value) {
				low, high = min(low, v.value), max(high, v.value)
			}
		}
	}
	if high <= low {
		high = low + 1
	}
	return low, high
}

func (s *sheet) timeAxis(area plot) {
	s.printf(`<path d="M%d %dH%d" fill="none" stroke="#2c3235"/>`, area.left, area.bottom, area.right)
	const ticks = 3
	for i := range ticks {
		at := area.left + (area.right-area.left)*i/ticks
		moment := area.from.Add(area.to.Sub(area.from) * time.Duration(i) / ticks)
		s.text(at, area.bottom+14, small-1, moment.UTC().Format(time.TimeOnly))
	}
}

// valueAxis draws three values next to an axis, and its label along it. turn is -1 to the left of the plot and 1 to the right.
func (s *sheet) valueAxis(area plot, at, turn int, label, unit string) {
	anchor := map[int]string{-1: "end", 1: "start"}[turn]
	for i := range 3 {
		value := area.low + (area.high-area.low)*float64(i)/2
		y := area.bottom - (area.bottom-area.top)*i/2
		s.printf(`<path d="M%d %dH%d" stroke="#22252b"/>`, area.left, y, area.right)
		s.printf(`<text x="%d" y="%d" font-size="%d" text-anchor="%s">%s</text>`, at+4*turn, y+4, small-1, anchor, amount(value, unit))
	}
	x, y := at+50*turn, (area.top+area.bottom)/2
	s.printf(`<text x="%d" y="%d" font-size="%d" text-anchor="middle" fill="#9fa7b3" transform="rotate(-90 %d %d)">%s</text>`, x, y, small-1, x, y, html.EscapeString(label))
}

func (s *sheet) line(area plot, each series, colour string) {
	var path strings.Builder
	pen := "M"
	for _, v := range each.Values {
		if math.IsNaN(v.value) {
			pen = "M"
			continue
		}
		share := (v.at - float64(area.from.Unix())) / area.to.Sub(area.from).Seconds()
		x := float64(area.left) + share*float64(area.right-area.left)
		y := float64(area.bottom) - (v.value-area.low)/(area.high-area.low)*float64(area.bottom-area.top)
		fmt.Fprintf(&path, "%s%.0f %.0f", pen, x, y)
		pen = "L"
	}
	s.printf(`<path d="%s" fill="none" stroke="%s" stroke-width="1.5"/>`, path.String(), colour)
}

func colourOf(found []result, name string) string {
	return lines[slices.IndexFunc(found, func(r result) bool { return r.name == name })%len(lines)]
}

func legendWidth(name string) int { return 14 + 6*len(name) + 12 }

// legendLines arranges the names, each once, in lines of a width.
func legendLines(found []result, width int) [][]string {
	var all [][]string
	used := width
	shown := map[string]bool{}
	for _, each := range found {
		if shown[each.name] {
			continue
		}
		shown[each.name] = true
		if used+legendWidth(each.name) > width {
			all, used = append(all, nil), 0
		}
		all[len(all)-1] = append(all[len(all)-1], each.name)
		used += legendWidth(each.name)
	}
	return all
}

// amount formats a value with its unit for readers.
func amount(value float64, unit string) string {
	switch {
	case math.IsNaN(value):
		return "–"
	case unit == "s" && math.Abs(value) >= 1:
		return (time.Duration(value) * time.Second).String()
	case unit == "s":
		return fmt.Sprintf("%.3gs", value)
	case unit == "bytes":
		return fmt.Sprintf("%.3g MiB", value/(1<<20))
	case unit == "cpm", unit == "ops", unit == "reqps":
		return fmt.Sprintf("%.3g %s", value, map[string]string{"cpm": "/min", "ops": "/s", "reqps": "/s"}[unit])
	}
	return fmt.Sprintf("%.3g", value)
}
