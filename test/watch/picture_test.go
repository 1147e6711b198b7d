// SPDX-License-Identifier: Apache-2.0

package watch

import (
	"flag"
	"fmt"
	"html"
	"math"
	"os"
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

// lines are the colours of lines, in order.
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
		s.text(x, y+row/2+gap, 14, is.Title)
		return
	}
	s.printf(`<rect x="%d" y="%d" width="%d" height="%d" rx="3" fill="#181b1f" stroke="#2c3235"/>`, x, y, w, h)
	s.text(x+8, y+18, 13, is.Title)
	x, y, w, h = x+8, y+28, w-16, h-36
	var found []series
	var names []string
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
			found, names = append(found, each), append(names, legend(target.LegendFormat, each.Metric))
		}
	}
	switch is.Type {
	case "stat":
		s.stat(x, y, w, h, is, found)
	case "table":
		s.table(x, y, h, is, found)
	default:
		s.graph(x, y, w, h, is, found, names, from, to)
	}
}

// legend formats a legend as Grafana does: a label's name in double braces is replaced by its value.
func legend(format string, labels map[string]string) string {
	for name, value := range labels {
		format = strings.ReplaceAll(format, "{{"+name+"}}", value)
	}
	return format
}

func (s *sheet) stat(x, y, w, h int, is panel, found []series) {
	value := found[0].Value.value
	colour := "#ccccdc"
	for _, step := range is.FieldConfig.Defaults.Thresholds.Steps {
		if step.Value == nil || value >= *step.Value {
			colour = map[string]string{"green": "#73bf69", "red": "#f2495c", "orange": "#ff9830", "yellow": "#fade2a"}[step.Color]
		}
	}
	s.printf(`<text x="%d" y="%d" font-size="32" text-anchor="middle" fill="%s">%s</text>`, x+w/2, y+h/2+8, colour, amount(value, is.FieldConfig.Defaults.Unit))
}

func (s *sheet) table(x, y, h int, is panel, found []series) {
	var rows []string
	for _, each := range found {
		cells := []string{each.Metric["namespace"], each.Metric["name"], each.Metric["condition"], each.Metric["reason"]}
		if is.FieldConfig.Defaults.Unit == "s" {
			cells = append(cells[:2], amount(each.Value.value, "s"))
		}
		rows = append(rows, strings.Join(cells, "|"))
	}
	if is.FieldConfig.Defaults.Unit != "s" {
		slices.Sort(rows)
	}
	for i, cells := range rows {
		at := y + 16 + i*18
		if at > y+h {
			break
		}
		for j, cell := range strings.Split(cells, "|") {
			s.text(x+j*140, at, small+1, cell)
		}
	}
}

func (s *sheet) graph(x, y, w, h int, is panel, found []series, names []string, from, to time.Time) {
	unit, low, high := is.FieldConfig.Defaults.Unit, 0.0, 0.0
	for _, each := range found {
		for _, v := range each.Values {
			if !math.IsNaN(v.value) {
				low, high = min(low, v.value), max(high, v.value)
			}
		}
	}
	if high <= low {
		high = 1
	}
	left, bottom := x+52, y+h-18
	s.text(x, y+8, small-1, amount(high, unit))
	s.text(x, bottom, small-1, amount(low, unit))
	s.printf(`<path d="M%d %dV%dH%d" fill="none" stroke="#2c3235"/>`, left, y, bottom, x+w)
	at := left
	for i, each := range found {
		colour := lines[i%len(lines)]
		var path strings.Builder
		pen := "M"
		for _, v := range each.Values {
			if math.IsNaN(v.value) {
				pen = "M"
				continue
			}
			share := (v.at - float64(from.Unix())) / to.Sub(from).Seconds()
			fmt.Fprintf(&path, "%s%.0f %.0f", pen, float64(left)+share*float64(x+w-left), float64(bottom)-(v.value-low)/(high-low)*float64(bottom-y))
			pen = "L"
		}
		s.printf(`<path d="%s" fill="none" stroke="%s" stroke-width="1.5"/>`, path.String(), colour)
		if width := 7*len(names[i]) + 8; at+width < x+w {
			s.printf(`<text x="%d" y="%d" fill="%s">%s</text>`, at, bottom+15, colour, html.EscapeString(names[i]))
			at += width
		}
	}
}

// amount formats a value as a person would.
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
	}
	return fmt.Sprintf("%.3g", value)
}
