// SPDX-License-Identifier: Apache-2.0

package install

import (
	"os"
	"testing"

	"github.com/go-logr/logr"
	"sigs.k8s.io/controller-runtime/pkg/log"
)

func TestMain(m *testing.M) {
	log.SetLogger(logr.Discard()) // controller-runtime complains if no logger is set
	os.Exit(m.Run())
}
