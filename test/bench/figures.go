// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"runtime"
	"slices"
	"strings"
)

// A figure is one measured value.
type figure struct {
	Phase string  `json:"phase"`
	Name  string  `json:"name"`
	Value float64 `json:"value"`
	Unit  string  `json:"unit,omitempty"`
}

// figures are the values of one run, in the order in which they were measured.
type figures []figure

func (f *figures) add(phase, name string, value float64, unit string) {
	*f = append(*f, figure{phase, name, value, unit})
	say("  %s: %s %s %s", phase, name, number(value), unit)
}

// values returns the values of one figure in all runs that have it.
func values(runs []figures, of figure) []float64 {
	var found []float64
	for _, run := range runs {
		for _, f := range run {
			if f.Phase == of.Phase && f.Name == of.Name {
				found = append(found, f.Value)
			}
		}
	}
	return found
}

func median(list []float64) float64 { return quantile(list, 0.5) }

// quantile returns the smallest value that at least that share of the list does not exceed, NaN for an empty list.
func quantile(list []float64, share float64) float64 {
	if len(list) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(list))
	return sorted[min(max(int(math.Ceil(share*float64(len(sorted))))-1, 0), len(sorted)-1)]
}

// table formats the median of each figure, and all its values if there are several.
func table(o options, runs []figures) string {
	var out strings.Builder
	fmt.Fprintf(&out, "\n%d credentials in %d namespaces, beside %d unrelated Secrets of 20 KB, %d cores for everything, medians of %d runs\n\n",
		o.credentials, o.namespaces, o.unrelated, runtime.NumCPU(), len(runs))
	phase := ""
	for _, f := range runs[0] {
		if f.Phase != phase {
			phase = f.Phase
			fmt.Fprintf(&out, "%s\n", phase)
		}
		all := values(runs, f)
		fmt.Fprintf(&out, "  %-58s %10s %s", f.Name, number(median(all)), f.Unit)
		if len(all) > 1 {
			texts := make([]string, len(all))
			for i, value := range all {
				texts[i] = number(value)
			}
			fmt.Fprintf(&out, "  (%s)", strings.Join(texts, ", "))
		}
		out.WriteString("\n")
	}
	return out.String()
}

// number formats a value with three significant digits, or as an integer.
func number(value float64) string {
	switch size := math.Abs(value); {
	case value == math.Trunc(value) && size < 1e9, size >= 100:
		return fmt.Sprintf("%.0f", value)
	case size >= 10:
		return fmt.Sprintf("%.1f", value)
	}
	return fmt.Sprintf("%.2f", value)
}

// write writes the figures as JSON.
func write(o options, runs []figures) error {
	medians := slices.Clone(runs[0])
	for i, f := range medians {
		medians[i].Value = median(values(runs, f))
	}
	for _, run := range append(slices.Clip(runs), medians) {
		for i := range run {
			if math.IsNaN(run[i].Value) {
				run[i].Value = -1 // JSON has no NaN
			}
		}
	}
	text, err := json.MarshalIndent(map[string]any{
		"credentials": o.credentials, "unrelated": o.unrelated, "cores": runtime.NumCPU(), "medians": medians, "runs": runs,
	}, "", "  ")
	if err != nil {
		return fmt.Errorf("encode the figures: %w", err)
	}
	if o.json == "" {
		_, err = fmt.Println(string(text))
		return err
	}
	if err := os.WriteFile(o.json, append(text, '\n'), 0o600); err != nil {
		return fmt.Errorf("write the figures: %w", err)
	}
	return nil
}
