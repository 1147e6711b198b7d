// SPDX-License-Identifier: Apache-2.0

package gitops

import (
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// root is the folder of the repository.
const root = "../.."

// customization is the folder of a CDPCredential's customization, below gitops/argocd as it would be in Argo CD's repository.
var customization = filepath.Join(root, "gitops/argocd/resource_customizations/cdpcredentials.io/CDPCredential")

// health is the result of a health check.
type health struct {
	Status  string `json:"status"`
	Message string `json:"message"`
}

// healthOf runs a health check.
func healthOf(ctx context.Context, script string, obj map[string]any) (health, error) {
	result, err := runLua(ctx, script, obj, time.Time{})
	if err != nil {
		return health{}, err
	}
	fields, ok := result.(map[string]any)
	if !ok {
		return health{}, fmt.Errorf("the check returns %v", result)
	}
	status, hasStatus := fields["status"].(string)
	message, hasMessage := fields["message"].(string)
	known := []string{"Progressing", "Healthy", "Degraded", "Suspended"}
	if !hasStatus || !hasMessage || len(fields) != 2 || !slices.Contains(known, status) {
		return health{}, fmt.Errorf("the check returns %v", result)
	}
	return health{Status: status, Message: message}, nil
}

// TestArgoHealthIsWhatTheTableSays runs the table as Argo CD's own tests do.
func TestArgoHealthIsWhatTheTableSays(t *testing.T) {
	t.Parallel()
	var table struct {
		Tests []struct {
			InputPath    string `json:"inputPath"`
			HealthStatus health `json:"healthStatus"`
		} `json:"tests"`
	}
	readYAML(t, filepath.Join(customization, "health_test.yaml"), &table)
	script := readText(t, filepath.Join(customization, "health.lua"))
	tried := map[string]bool{}
	for _, tc := range table.Tests {
		tried[filepath.Base(tc.InputPath)] = true
		t.Run(filepath.Base(tc.InputPath), func(t *testing.T) {
			t.Parallel()
			obj := map[string]any{}
			readYAML(t, filepath.Join(customization, tc.InputPath), &obj)
			got, err := healthOf(t.Context(), script, obj)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.HealthStatus, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
	if diff := cmp.Diff(namesIn(t, filepath.Join(customization, "testdata")), slices.Sorted(maps.Keys(tried))); diff != "" {
		t.Errorf("files of testdata, -existing +tested:\n%s", diff)
	}
}

// TestArgoHealthOfUnfilledObjects: an object may be checked before the API server or the operator has filled it in.
func TestArgoHealthOfUnfilledObjects(t *testing.T) {
	t.Parallel()
	script := readText(t, filepath.Join(customization, "health.lua"))
	named := func(more map[string]any) map[string]any {
		obj := map[string]any{"metadata": map[string]any{"name": "etl", "generation": 2.0}}
		maps.Copy(obj, more)
		return obj
	}
	notSeen := health{"Progressing", "Waiting for the operator to look at the latest change"}
	for name, tc := range map[string]struct {
		obj  map[string]any
		want health
	}{
		"nothing":                      {named(nil), notSeen},
		"an empty status":              {named(map[string]any{"status": map[string]any{}}), notSeen},
		"of a generation to be":        {named(map[string]any{"status": map[string]any{"observedGeneration": 3.0}}), notSeen},
		"no conditions":                {named(map[string]any{"status": map[string]any{"observedGeneration": 2.0}}), health{"Progressing", "Waiting for the condition Ready"}},
		"no generation, not looked at": {map[string]any{"metadata": map[string]any{}, "status": map[string]any{"observedGeneration": -1.0}}, notSeen},
		"no generation": {map[string]any{"metadata": map[string]any{}, "status": map[string]any{"observedGeneration": 1.0}},
			health{"Progressing", "Waiting for the condition Ready"}},
	} {
		if got, err := healthOf(t.Context(), script, tc.obj); err != nil || got != tc.want {
			t.Errorf("%s: got %v, %v", name, got, err)
		}
	}
}

func namesIn(t *testing.T, folder string) []string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(folder, "*.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for i, path := range paths {
		paths[i] = filepath.Base(path)
	}
	slices.Sort(paths)
	return paths
}
