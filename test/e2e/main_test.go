// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"os"
	"testing"
	"time"
)

// Variables that make e2e (run.sh) sets.
var (
	kubeconfig = os.Getenv("E2E_KUBECONFIG")
	installer  = os.Getenv("E2E_INSTALLER")  // install.yaml with an image that the nodes have
	podsImage  = os.Getenv("E2E_PODS_IMAGE") // of test/e2e/pods
	lifetime   = os.Getenv("E2E_LIFETIME")   // of tokens; a quarter of it must be enough for the kubelet to show a changed Secret
	logs       = os.Getenv("E2E_LOGS")       // folder for the logs and objects of a failed test

	examplesFolder = os.Getenv("E2E_EXAMPLES")
	exampleImage   = os.Getenv("E2E_EXAMPLE_IMAGE")          // of examples/go
	nodeIsHere     = os.Getenv("E2E_NODE_IS_HERE") == "true" // pods can mount this machine's folders
)

func TestMain(m *testing.M) {
	if kubeconfig == "" {
		fmt.Println("e2e: skipped: E2E_KUBECONFIG is not set; run make e2e")
		os.Exit(0)
	}
	for name, value := range map[string]string{
		"E2E_INSTALLER": installer, "E2E_PODS_IMAGE": podsImage, "E2E_LOGS": logs, "E2E_EXAMPLES": examplesFolder, "E2E_EXAMPLE_IMAGE": exampleImage,
	} {
		if value == "" {
			fmt.Printf("e2e: %s is not set; run make e2e\n", name)
			os.Exit(1)
		}
	}
	if d, err := time.ParseDuration(lifetime); err != nil || d < time.Minute {
		fmt.Printf("e2e: E2E_LIFETIME is %q, want a duration of a minute or more\n", lifetime)
		os.Exit(1)
	}
	os.Exit(m.Run())
}
