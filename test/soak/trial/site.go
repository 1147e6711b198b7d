// SPDX-License-Identifier: Apache-2.0

package trial

import (
	"errors"
	"slices"
	"time"

	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange/exchangetest"
)

// A site is a family of endpoints with similar token lifetimes and with faults in proportion: an outage that is longer than a token's lead proves
// nothing about the operator.
type site struct {
	name              string
	systems           []exchangetest.System
	shortest, longest time.Duration // lifetimes
	outage            time.Duration // the longest
	faults            []kind
	server            *exchangetest.Server
	faultSchedule     *faultSchedule
}

func (s *site) endpoint(system exchangetest.System) string { return s.name + "/" + string(system) }

// newSites starts the endpoints. The returned function stops them and is never nil.
func newSites(o Options) ([]*site, func() error, error) {
	forms := []exchangetest.System{exchangetest.OAuth2, exchangetest.Experiture, exchangetest.Apsis, exchangetest.Auth0, exchangetest.Adobe}
	withAlgonomy := append(slices.Clip(forms), exchangetest.Algonomy) // its tokens live for a minute at least
	sites := []*site{
		{name: "short", systems: forms, shortest: 30 * time.Second, longest: 45 * time.Second, outage: 3 * time.Second, faults: quickFaults(2)},
		{name: "medium", systems: withAlgonomy, shortest: 46 * time.Second, longest: 79 * time.Second, outage: 6 * time.Second, faults: quickFaults(5)},
		{name: "long", systems: withAlgonomy, shortest: 80 * time.Second, longest: 120 * time.Second, outage: 12 * time.Second, faults: append(quickFaults(10), slowFaults()...)},
	}
	var started []*site
	stop := func() error { return stopAll(started) }
	for i, s := range sites {
		s.faultSchedule = newFaultSchedule(o, s, uint64(i))
		server, err := exchangetest.Start(exchangetest.Options{Behaviour: exchangetest.Behaviour{Latency: 20 * time.Millisecond}})
		if err != nil {
			return nil, stop, err
		}
		s.server = server
		started = append(started, s)
	}
	return sites, stop, nil
}

func stopAll(sites []*site) error {
	var errs []error
	for _, s := range sites {
		errs = append(errs, s.server.Close())
	}
	return errors.Join(errs...)
}
