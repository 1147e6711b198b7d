// SPDX-License-Identifier: Apache-2.0

package simulation

import (
	"os"
	"strings"
	"testing"
)

// TestAssumptionsAreDocumented: doc.go mentions each assumption.
func TestAssumptionsAreDocumented(t *testing.T) {
	t.Parallel()
	doc, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range drawable(nil, true) {
		if !strings.Contains(string(doc), a.name+",") && !strings.Contains(string(doc), a.name+":") && !strings.Contains(string(doc), a.name+" ") {
			t.Errorf("doc.go does not mention %s", a.name)
		}
		if a.lacks != "" {
			t.Logf("%s is not drawn: %s", a.name, a.lacks)
		}
	}
}
