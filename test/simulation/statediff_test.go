// SPDX-License-Identifier: Apache-2.0

package simulation

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
)

// treeDifferences lists the differences between two values as JSON, one line each: PATH: BEFORE → AFTER.
func treeDifferences(before, after any) []string {
	var trees [2]any
	for i, what := range []any{before, after} {
		text, err := json.Marshal(what)
		if err != nil {
			panic(err)
		}
		trees[i] = jsonTree(string(text))
	}
	return differences(nil, "", trees[0], trees[1])
}

func differences(lines []string, path string, before, after any) []string {
	switch a := before.(type) {
	case map[string]any:
		if b, ok := after.(map[string]any); ok {
			keys := maps.Clone(a)
			maps.Copy(keys, b)
			for _, key := range slices.Sorted(maps.Keys(keys)) {
				lines = differences(lines, path+"."+key, a[key], b[key])
			}
			return lines
		}
	case []any:
		if b, ok := after.([]any); ok {
			for i := range max(len(a), len(b)) {
				lines = differences(lines, fmt.Sprintf("%s[%d]", path, i), at(a, i), at(b, i))
			}
			return lines
		}
	case string: // possibly a request body
		if b, ok := after.(string); ok && sameJSON(a, b) {
			return lines
		}
	}
	if one, other := jsonText(before), jsonText(after); one != other {
		lines = append(lines, fmt.Sprintf("%s: %s → %s", path, one, other))
	}
	return lines
}

// sameJSON reports whether two texts are the same JSON apart from formatting, such as the order of members.
func sameJSON(a, b string) bool {
	var one, other any
	return json.Unmarshal([]byte(a), &one) == nil && json.Unmarshal([]byte(b), &other) == nil && reflect.DeepEqual(one, other)
}

func at(list []any, i int) any {
	if i < len(list) {
		return list[i]
	}
	return nil
}

// jsonText returns JSON, or "nothing" for nil.
func jsonText(tree any) string {
	if tree == nil {
		return "nothing"
	}
	text, err := json.Marshal(tree)
	if err != nil {
		panic(err)
	}
	return string(text)
}

// stateDifferences collects all differences.
type stateDifferences struct {
	// all is the number of compared states, states of those that differ, and wording of those that differ only in messages.
	all, states, wording int
	// kinds has the differing states by the place of their first difference; words counts the changes of messages.
	kinds map[string][]string
	words map[string]int
}

func newStateDifferences() *stateDifferences {
	return &stateDifferences{kinds: map[string][]string{}, words: map[string]int{}}
}

var (
	index = regexp.MustCompile(`\[\d+\]`)
	// inWords matches a difference between two messages.
	inWords = regexp.MustCompile(`^\S*\.message: (".*" → ".*")$`)
	// moreWords matches an additional write of status that only changes messages.
	moreWords  = regexp.MustCompile(`^\S*\.reworded(\[\d+\])?: nothing → `)
	objectName = regexp.MustCompile(`\bobj\d`)
)

const (
	linesShown  = 10
	lineLength  = 400
	statesShown = 3
)

func (d *stateDifferences) add(s *recordedState, lines []string) {
	d.all++
	var behaviour []string
	wording := false
	for _, line := range lines {
		words := inWords.FindStringSubmatch(line)
		if words == nil && !moreWords.MatchString(line) {
			behaviour = append(behaviour, line)
			continue
		}
		wording = true
		if words != nil {
			d.words[objectName.ReplaceAllString(words[1], "obj")]++
		}
	}
	switch {
	case len(behaviour) > 0:
		d.states++
		place, _, _ := strings.Cut(behaviour[0], ": ")
		kind := index.ReplaceAllString(place, "[]")
		d.kinds[kind] = append(d.kinds[kind], fmt.Sprintf("state %d, %s of seed %d: %s:\n%s", s.Number, s.State.object(), s.State.Seed, s.State.kind(), shown(behaviour)))
	case wording:
		d.wording++
	}
}

func shown(lines []string) string {
	var b strings.Builder
	for _, line := range lines[:min(len(lines), linesShown)] {
		if len(line) > lineLength {
			line = line[:lineLength] + "…"
		}
		b.WriteString("    " + line + "\n")
	}
	if more := len(lines) - linesShown; more > 0 {
		fmt.Fprintf(&b, "    and %d more\n", more)
	}
	return b.String()
}

// report describes the first states of each kind, and all changed messages.
func (d *stateDifferences) report() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d states compared: %d differ, %d more only in messages\n", d.all, d.states, d.wording)
	for _, kind := range slices.Sorted(maps.Keys(d.kinds)) {
		fmt.Fprintf(&b, "%d first in %s:\n", len(d.kinds[kind]), kind)
		for _, of := range d.kinds[kind][:min(len(d.kinds[kind]), statesShown)] {
			b.WriteString("  " + of)
		}
	}
	if len(d.kinds) > 0 {
		b.WriteString("see one of them with: make compare-states FILE=... STATE=NUMBER\n")
	}
	for _, words := range slices.Sorted(maps.Keys(d.words)) {
		fmt.Fprintf(&b, "%d times the message: %s\n", d.words[words], words)
	}
	return b.String()
}
