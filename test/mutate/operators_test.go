// SPDX-License-Identifier: Apache-2.0

package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// mutantsIn returns the mutants of the statements of a function.
func mutantsIn(t *testing.T, body string) []string {
	t.Helper()
	return diffsOf(t, "package p\n\nfunc f() {\n"+body+"\n}\n")
}

func diffsOf(t *testing.T, source string) []string {
	t.Helper()
	made, err := mutantsOf("p/p.go", []byte(source))
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, m := range made {
		_, after, _ := strings.Cut(m.diff(), "\n+ ")
		out = append(out, string(m.operator)+": "+after)
	}
	return out
}

func TestOperatorsMakeTheirMutants(t *testing.T) {
	for _, tc := range []struct {
		name, body string
		want       []string
	}{
		{"a condition", "if ok {\n}", []string{"negated: if !(ok) {"}},
		{"a condition that is a negation", "if !ok {\n}", []string{"negated: if ok {"}},
		{"the condition of a loop", "for ok {\n}", []string{"negated: for !(ok) {"}},
		{"a loop without one", "for {\n}", nil},
		{"cases without a tag", "switch {\ncase ok:\n}", []string{"negated: case !(ok):"}},
		{"cases of a tag", "switch a {\ncase b:\n}", nil},
		{"equal: no negation beside it", "if a == b {\n}", []string{"equality: if a != b {"}},
		{"unequal, in an expression", "x := a != b", []string{"equality: x := a == b"}},
		{"boundaries", "x := f(a < b, a <= b)", []string{"boundary: x := f(a <= b, a <= b)", "boundary: x := f(a < b, a < b)"}},
		{"boundaries, the other way", "x := f(a > b, a >= b)", []string{"boundary: x := f(a >= b, a >= b)", "boundary: x := f(a > b, a > b)"}},
		{"min and max", "x := min(a, max(b, c))", []string{"boundary: x := max(a, max(b, c))", "boundary: x := min(a, min(b, c))"}},
		{"and: each side by itself, too", "x := a && !b", []string{"negated: x := !(a) && !b", "logic: x := a || !b", "negated: x := a && b"}},
		{"a chain: each part once", "x := a || b || c", []string{
			"negated: x := !(a) || b || c", "logic: x := a && b || c", "negated: x := a || !(b) || c", "logic: x := a || b && c", "negated: x := a || b || !(c)",
		}},
		{"sums", "x := a + b - c", []string{"arithmetic: x := a - b - c", "arithmetic: x := a + b + c"}},
		{"no difference of strings", `x := "a" + b + c`, nil},
		{"products", "x := a * b / c", []string{"arithmetic: x := a / b / c", "arithmetic: x := a * b * c"}},
		{"numbers", "x := f(0, 0x10, 1_000, 0.5)", []string{
			"constant: x := f(1, 0x10, 1_000, 0.5)", "constant: x := f(0, 17, 1_000, 0.5)", "constant: x := f(0, 0x10, 1001, 0.5)", "constant: x := f(0, 0x10, 1_000, (2*0.5))",
		}},
		{"true and false", "x := f(true, false)", []string{"constant: x := f(false, false)", "constant: x := f(true, true)"}},
		{"no text", "x := \"a\"", nil},
		{"statements", "f(a)\nx = a\nx += a\nx++\nc <- a\ngo f(a)\ndefer f(a)", []string{
			"dropped: (nothing)", "dropped: (nothing)", "dropped: (nothing)", "dropped: (nothing)", "dropped: (nothing)", "dropped: (nothing)", "dropped: (nothing)",
		}},
		{"statements in cases", "switch a {\ncase b:\nf(a)\n}\nselect {\ncase <-c:\nreturn\n}", []string{"dropped: (nothing)", "dropped: (nothing)"}},
		{"what declares is needed", "x := a", nil},
		{"what keeps nothing", "_ = a", nil},
		{"a statement of several lines", "f(a,\nb)", []string{"dropped: (nothing)"}},
		{"locks are the race detector's", "mu.Lock()\ndefer mu.Unlock()", nil},
		{"log calls", "log.Info(\"a\", 1)\nctrl.LoggerFrom(ctx).WithName(\"a\").Error(err, \"b\", \"n\", a+b)\nlog.V(1).Info(\"a\")", nil},
		{"Error of something else", "x = err.Error()", []string{"dropped: (nothing)"}},
		{"room made beforehand", "x := f(make([]int, 2, 3), make(map[int]int, 4))\nx.Grow(5)", nil},
		{"a length", "x := make([]int, 2)", []string{"constant: x := make([]int, 3)"}},
		{"the length of an array", "var x [16]byte", nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, mutantsIn(t, tc.body)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestUntouchedFunctionsGetNoMutants(t *testing.T) {
	got := diffsOf(t, `package p

import "fmt" // 1

func (a A) String() string { return fmt.Sprint(1) }

func String() int { return 1 }
`)
	if diff := cmp.Diff([]string{"dropped: func String() int {  }", "constant: func String() int { return 2 }"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestMutantShowsItsLineAndText(t *testing.T) {
	source := "package p\n\nfunc f() {\n\tf(a,\n\t\tb)\n\tx := a < b\n}\n"
	made, err := mutantsOf("p/p.go", []byte(source))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, m := range made {
		got = append(got, m.String(), m.diff(), string(m.text()))
	}
	want := []string{
		"p/p.go:4: dropped", "- f(a, …\n+ (nothing)", "package p\n\nfunc f() {\n\t\n\tx := a < b\n}\n",
		"p/p.go:6: boundary", "- x := a < b\n+ x := a <= b", "package p\n\nfunc f() {\n\tf(a,\n\t\tb)\n\tx := a <= b\n}\n",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
