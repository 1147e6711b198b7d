// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"strings"
	"testing"
)

// TestEveryReasonHasACause: what a condition may say, the command can explain.
func TestEveryReasonHasACause(t *testing.T) {
	t.Parallel()
	file, err := parser.ParseFile(token.NewFileSet(), "../../api/v1alpha1/condition_types.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || !strings.HasPrefix(spec.Names[0].Name, "Reason") {
			return true
		}
		reason, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
		if err != nil {
			t.Fatal(err)
		}
		found++
		// Those of a condition that is True are no causes.
		if _, ok := causes[reason]; !ok && reason != "TokenValid" && reason != "Verified" {
			t.Errorf("%s has no entry in causes", reason)
		}
		return true
	})
	if found < 20 {
		t.Errorf("found %d reasons only", found)
	}
}
