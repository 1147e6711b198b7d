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

// faultsName is the ConfigMap by which a visitor breaks the stand-ins: the keys are systems, the values are those of faultKinds. The key clockFault has a
// duration: how far the clocks of all stand-ins are ahead.
const (
	faultsName = "faults"
	clockFault = "clock"
)

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
	behaviour.ClockOffset, _ = time.ParseDuration(on[clockFault]) // describe says what is wrong with it
	endpoints.SetBehaviour(behaviour)
	return on, nil
}

// followFaults has the stand-ins do what the ConfigMap says, until ctx ends, which is no error. A fault that is taken away is gone before the next command
// of whoever took it away.
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
		return fmt.Sprintf("ConfigMap %s: %s is no duration; use one such as 2m", faultsName, f[clockFault])
	case !known:
		return fmt.Sprintf("ConfigMap %s: there is no fault %q; use %s", faultsName, f[key], strings.Join(slices.Sorted(maps.Keys(faultKinds)), ", "))
	}
	return fmt.Sprintf("The stand-in of %s is broken: %s", key, f[key])
}
