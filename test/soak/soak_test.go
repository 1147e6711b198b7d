// SPDX-License-Identifier: Apache-2.0

package main

import (
	"flag"
	"testing"
	"time"

	"github.com/cdpcredentials/cdp-credential-operator/test/soak/trial"
)

var seed = flag.Uint64("soak.seed", 0, "Seed of the short soak; 0 uses the current time.")

// TestSoak is the short form of `make soak`: a few of every kind of fault, kill, outage and user action.
func TestSoak(t *testing.T) {
	if *seed == 0 {
		*seed = uint64(time.Now().UnixNano())
	}
	report, err := trial.Run(t.Context(), trial.Options{
		Credentials: 16, Duration: 30 * time.Second, Seed: *seed, Root: shared.root, Temp: t.TempDir(), Progress: t.Output(),
	})
	if err != nil {
		t.Fatalf("seed %d: %v", *seed, err)
	}
	t.Logf("\n%s", report.Table())
	for _, violation := range report.Violations {
		t.Errorf("seed %d: %s", *seed, violation)
	}
	if report.Replicas["kill"] == 0 || report.APIRestarts == 0 || report.Looks < 1000 {
		t.Errorf("seed %d: too little happened:  %v, %d API server restarts, %d looks", *seed, report.Replicas, report.APIRestarts, report.Looks)
	}
}
