// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange/exchangetest"
)

// faultsName is the ConfigMap by which a visitor breaks the stand-ins: the keys are systems, the values are those of faultKinds.
const faultsName = "faults"

// faultKinds are what a visitor may do to a token endpoint. The APIs that take the tokens stay as they are.
var faultKinds = map[string]func() *exchangetest.Fault{
	"throttle":  func() *exchangetest.Fault { return exchangetest.Throttled("30") },
	"hang":      exchangetest.Hang,
	"500":       func() *exchangetest.Fault { return exchangetest.Answer(http.StatusInternalServerError) },
	"wrong-key": func() *exchangetest.Fault { return exchangetest.Answer(http.StatusUnauthorized) },
	"reset":     exchangetest.Reset,
}

// faults are those that are on, by system.
type faults map[string]string

// readFaults takes over what a visitor has written into the ConfigMap.
func readFaults(ctx context.Context, c client.Client, endpoints *exchangetest.Server) (faults, error) {
	var written corev1.ConfigMap
	if err := c.Get(ctx, client.ObjectKey{Namespace: namespace, Name: faultsName}, &written); client.IgnoreNotFound(err) != nil {
		return nil, fmt.Errorf("read the faults: %w", err)
	}
	on := faults(written.Data)
	behaviour := endpoints.Behaviour()
	behaviour.Fault = on.of
	endpoints.SetBehaviour(behaviour)
	return on, nil
}

// of is the fault of a request. Nil: none.
func (f faults) of(r exchangetest.Request) *exchangetest.Fault {
	kind, ok := faultKinds[f[string(r.System)]]
	if !ok || r.Path == exchangetest.APIPath {
		return nil
	}
	return kind()
}

// describe says which faults are on, a line each.
func (f faults) describe(width int) []string {
	var lines []string
	for _, system := range slices.Sorted(maps.Keys(f)) {
		text := fmt.Sprintf("The stand-in of %s is broken: %s", system, f[system])
		if _, known := faultKinds[f[system]]; !known {
			text = fmt.Sprintf("ConfigMap %s: there is no fault %q; use %s", faultsName, f[system], strings.Join(slices.Sorted(maps.Keys(faultKinds)), ", "))
		}
		lines = append(lines, wrap(text, width, "  ")...)
	}
	return lines
}
