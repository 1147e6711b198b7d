// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/go-logr/logr"
)

// caFileInterval is the interval at which --ca-file is read. A mounted Secret or ConfigMap takes a minute to change anyway.
const caFileInterval = 10 * time.Second

// A caFile is the file of --ca-file, or none if its path is empty. It is polled, not watched: mounted files change by a swapped symbolic link, and
// reading a few kilobytes costs nothing.
type caFile struct {
	path  string
	trust func(bundle []byte) error
	log   logr.Logger

	content, problem string
}

// load reads the file, and trusts its certificates if they have changed.
func (f *caFile) load() (isNew bool, err error) {
	if f.path == "" {
		return false, nil
	}
	content, err := os.ReadFile(f.path)
	if err != nil {
		return false, fmt.Errorf("--ca-file: %w", err)
	}
	if string(content) == f.content {
		return false, nil
	}
	if err := f.trust(content); err != nil {
		return false, fmt.Errorf("--ca-file=%s: %w", f.path, err)
	}
	f.content = string(content)
	return true, nil
}

// Start implements manager.Runnable. While the file is unusable, its previous content stays in effect.
func (f *caFile) Start(ctx context.Context) error {
	if f.path == "" {
		return nil
	}
	ticker := time.NewTicker(caFileInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
		f.look()
	}
}

func (f *caFile) look() {
	isNew, err := f.load()
	switch {
	case err != nil && err.Error() != f.problem:
		f.problem = err.Error()
		f.log.Error(err, "Could not read the CA file; its previous certificates stay in effect")
	case err != nil:
	case isNew || f.problem != "":
		f.problem = ""
		f.log.Info("The CA file is in use", "path", f.path)
	}
}

// NeedLeaderElection implements manager.LeaderElectionRunnable: a standby replica must be ready to take over.
func (*caFile) NeedLeaderElection() bool { return false }
