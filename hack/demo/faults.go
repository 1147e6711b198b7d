// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange/exchangetest"
)

// faultsName is the ConfigMap with which visitors break the stand-ins: keys are systems, values are those of faultKinds. The value of clockFault is a
// duration by which the clocks of all stand-ins are ahead.
const (
	faultsName = "faults"
	clockFault = "clock"
)

// faultKinds are the faults that a visitor can choose for a token endpoint. The APIs that accept the tokens are not affected.
var faultKinds = map[string]func() *exchangetest.Fault{
	"throttle":  func() *exchangetest.Fault { return exchangetest.Throttled("30") },
	"hang":      exchangetest.Hang,
	"500":       func() *exchangetest.Fault { return exchangetest.Answer(http.StatusInternalServerError) },
	"wrong-key": func() *exchangetest.Fault { return exchangetest.Answer(http.StatusUnauthorized) },
	"reset":     exchangetest.Reset,
}

// faults are the active faults by system.
type faults map[string]string

// readFaults applies the faults that the ConfigMap lists to the stand-ins.
func readFaults(ctx context.Context, c client.Client, endpoints *exchangetest.Server) (faults, error) {
	var written corev1.ConfigMap
	if err := c.Get(ctx, client.ObjectKey{Namespace: namespace, Name: faultsName}, &written); client.IgnoreNotFound(err) != nil {
		return nil, fmt.Errorf("read the faults: %w", err)
	}
	on := faults(written.Data)
	behaviour := endpoints.Behaviour()
	behaviour.Fault = on.of
	behaviour.ClockOffset, _ = time.ParseDuration(on[clockFault]) // describe reports an invalid duration
	endpoints.SetBehaviour(behaviour)
	return on, nil
}

// followFaults applies the ConfigMap's faults until ctx ends, which is no error. It polls often enough that a removed fault is gone before the
// visitor's next command.
func (w *watcher) followFaults(ctx context.Context) error {
	ticker := time.NewTicker(100 * time.Millisecond)
	defer ticker.Stop()
	for {
		on, err := readFaults(ctx, w.client, w.endpoints)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			return err
		}
		w.faults.Store(&on)
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// of returns the fault of a request. Nil: none.
func (f faults) of(r exchangetest.Request) *exchangetest.Fault {
	kind, ok := faultKinds[f[string(r.System)]]
	if !ok || r.Path == exchangetest.APIPath {
		return nil
	}
	return kind()
}

// describe returns a line for each active fault, wrapped to width.
func (f faults) describe(width int) []string {
	var lines []string
	for _, key := range slices.Sorted(maps.Keys(f)) {
		lines = append(lines, wrap(f.line(key), width, "  ")...)
	}
	return lines
}

func (f faults) line(key string) string {
	_, known := faultKinds[f[key]]
	ahead, err := time.ParseDuration(f[clockFault])
	switch {
	case key == clockFault && err == nil:
		return fmt.Sprintf("The clocks of the stand-ins are %s ahead", ahead)
	case key == clockFault:
		return fmt.Sprintf("ConfigMap %s: %s is not a duration; use one such as 2m", faultsName, f[clockFault])
	case !known:
		return fmt.Sprintf("ConfigMap %s: there is no fault %q; use %s", faultsName, f[key], strings.Join(slices.Sorted(maps.Keys(faultKinds)), ", "))
	}
	return fmt.Sprintf("The stand-in of %s is broken: %s", key, f[key])
}
