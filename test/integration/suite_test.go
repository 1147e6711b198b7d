// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"flag"
	"fmt"
	"os"
	"sync"
	"testing"
)

// atOnce is how many tests run in parallel, unless -parallel is given. They mostly wait.
const atOnce = "24"

func TestMain(m *testing.M) {
	flag.Parse()
	chosen := false
	flag.Visit(func(f *flag.Flag) { chosen = chosen || f.Name == "test.parallel" })
	if !chosen {
		if err := flag.Set("test.parallel", atOnce); err != nil {
			panic(err)
		}
	}
	code := m.Run()
	if err := suite.end(); err != nil {
		fmt.Fprintf(os.Stderr, "--- FAIL: the whole run\n    %v\n", err)
		code = max(code, 1)
	}
	os.Exit(code)
}

// suite is the API server that the tests share. It starts with the first test that needs it, so that tests that need none can run without one.
var suite lazyCluster

type lazyCluster struct {
	once    sync.Once
	cluster *cluster
	err     error
}

// sharedCluster returns the API server of this run, with the real manager.
func sharedCluster(t *testing.T) *cluster {
	t.Helper()
	if testing.Short() {
		t.Skip("needs an API server")
	}
	suite.once.Do(func() { suite.cluster, suite.err = startCluster() })
	if suite.err != nil {
		t.Fatal(suite.err)
	}
	return suite.cluster
}

// end searches everything that the run has left for secrets, and stops everything.
func (l *lazyCluster) end() error {
	if l.cluster == nil {
		return nil
	}
	return l.cluster.end()
}
