// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "cluster: needs Linux; set E2E_KUBECONFIG to use a cluster that you have (see CONTRIBUTING.md)")
	os.Exit(1)
}
