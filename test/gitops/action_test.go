// SPDX-License-Identifier: Apache-2.0

package gitops

import (
	"maps"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// pressed is when the button is pressed in these tests; the expected outputs have it.
var pressed = time.Date(2026, 11, 21, 14, 30, 59, 0, time.UTC)

type actionTable struct {
	DiscoveryTests []struct {
		InputPath string           `json:"inputPath"`
		Result    []map[string]any `json:"result"`
	} `json:"discoveryTests"`
	ActionTests []struct {
		Action             string `json:"action"`
		InputPath          string `json:"inputPath"`
		ExpectedOutputPath string `json:"expectedOutputPath"`
	} `json:"actionTests"`
}

// TestArgoActionsDoWhatTheTableSays runs the tables as Argo CD's own tests do, except that those ignore the time.
func TestArgoActionsDoWhatTheTableSays(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(customization, "actions")
	var table actionTable
	readYAML(t, filepath.Join(folder, "action_test.yaml"), &table)
	discovery := readText(t, filepath.Join(folder, "discovery.lua"))
	tried := map[string]bool{}
	for _, tc := range table.DiscoveryTests {
		tried[filepath.Base(tc.InputPath)] = true
		obj := map[string]any{}
		readYAML(t, filepath.Join(folder, tc.InputPath), &obj)
		got, err := runLua(t.Context(), discovery, obj, pressed)
		if err != nil {
			t.Fatalf("%s: %v", tc.InputPath, err)
		}
		want := map[string]any{}
		for _, action := range tc.Result {
			disabled, _ := action["disabled"].(bool)
			want[action["name"].(string)] = map[string]any{"disabled": disabled}
		}
		if diff := cmp.Diff(any(want), got); diff != "" {
			t.Errorf("what can be done with %s, -want +got:\n%s", tc.InputPath, diff)
		}
	}
	for _, tc := range table.ActionTests {
		tried[filepath.Base(tc.InputPath)], tried[filepath.Base(tc.ExpectedOutputPath)] = true, true
		obj, want := map[string]any{}, map[string]any{}
		readYAML(t, filepath.Join(folder, tc.InputPath), &obj)
		readYAML(t, filepath.Join(folder, tc.ExpectedOutputPath), &want)
		got, err := runLua(t.Context(), readText(t, filepath.Join(folder, tc.Action, "action.lua")), obj, pressed)
		if err != nil {
			t.Fatalf("%s: %v", tc.InputPath, err)
		}
		if diff := cmp.Diff(any(want), got); diff != "" {
			t.Errorf("%s of %s, -want +got:\n%s", tc.Action, tc.InputPath, diff)
		}
	}
	if len(table.DiscoveryTests) == 0 || len(table.ActionTests) == 0 {
		t.Error("a table is empty")
	}
	if diff := cmp.Diff(namesIn(t, filepath.Join(folder, "testdata")), slices.Sorted(maps.Keys(tried))); diff != "" {
		t.Errorf("files of testdata, -existing +tested:\n%s", diff)
	}
}
